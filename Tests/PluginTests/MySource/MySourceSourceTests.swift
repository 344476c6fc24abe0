import MySourcePlugin
import Martlet
import MartletTesting
import Testing

struct MySourceSourceTests {
    private func source(_ json: String) throws -> MySourceSource {
        try TestHost().make(MySourceSource.self, json)
    }

    @Test func keepsTheContract() async throws {
        try await SourceContract.verify(
            send: { source, number in
                guard let routes = (source as? any RouteProviding)?.routes else { return .none }
                let exchange = FakeExchange("POST", target: "/texts", body: Bytes("number \(number)"))
                routes[0].handle(exchange)
                return await exchange.response().status < 300 ? .accepted : .refused
            },
            number: { input in
                let text = input.payload.string
                return text.hasPrefix(#"{"text":"number "#) ? Int(text.dropFirst(16).dropLast(2)) : nil
            },
            make: { try source(ReadmeExample.json(of: "MySource")) })
    }
}
