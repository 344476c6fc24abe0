import MyChannelPlugin
import Martlet
import MartletTesting
import Pipelines
import Testing

struct MyChannelChannelTests {
    private func channel(_ json: String) throws -> MyChannelChannel {
        try TestHost(payloads: SimdjsonPayloadReader()).make(MyChannelChannel.self, json)
    }

    private func body(_ channel: any DeliveryChannel) async throws -> String {
        let exchange = FakeExchange("GET", target: "/newest")
        try #require((channel as? any RouteProviding)?.routes.first).handle(exchange)
        return await exchange.response().body.string
    }

    @Test func keepsTheContract() async throws {
        try await ChannelContract.verify(
            payload: { "\"record-\($0)\"" },
            attach: { channel in
                { try await body(channel).split { "[],\"\n".contains($0) }.map(String.init) }
            },
            make: { try channel(#"{ "path": "/newest", "keep_events": 10000 }"#) })
    }

    @Test func onlyTheNewestAreKept() async throws {
        let channel = try channel(#"{ "path": "/newest", "keep_events": 2 }"#)
        try await channel.open(replay: nil)
        let messages = ["1", "no JSON", "3"].enumerated().map { number, payload in
            let event = Event(id: "e", key: nil, payload: Bytes(payload), timestamp: 0)
            return Message(
                record: Record(topic: "t", partition: 0, offset: Offset(number), event: event), previousOffset: nil)
        }
        _ = try await channel.deliver(messages)
        #expect(try await body(channel) == "[\"no JSON\",3]\n")
        await channel.close()
    }

    @Test func theReadmesExampleIsGood() throws {
        _ = try channel(ReadmeExample.json(of: "MyChannel"))
    }
}
