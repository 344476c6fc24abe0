import Martlet
import MartletTesting
import Testing

@testable import Pipelines

/// What a preflight lets pages do (Fetch Standard, section 3.2).
struct CORSPolicyTests {
    private static let methods = [(name: "GET", isAnonymous: true), (name: "POST", isAnonymous: true), (name: "PUT", isAnonymous: false)]

    /// The values of the answer's `Access-Control-Allow-Origin` and `-Methods`.
    private func preflight(_ method: String, from origin: String) throws -> [String?] {
        let policy = CORSPolicy(try CORSConfig(json: #"{ "origins": ["*", "https://app.example.com"] }"#))
        let exchange = FakeExchange("OPTIONS", headers: [("Origin", origin), ("Access-Control-Request-Method", method)])
        let answer = policy.preflight(exchange, Self.methods)
        #expect(answer.status == 204)
        return ["Origin", "Methods"].map { name in answer.headers.first { $0.name == "Access-Control-Allow-\(name)" }?.value }
    }

    @Test func aListedPageMayDoAll() throws {
        for method in ["GET", "POST", "PUT"] {
            #expect(try preflight(method, from: "https://app.example.com") == ["https://app.example.com", "GET, POST, PUT"])
        }
    }

    /// A browser that was told of other methods would not ask before it uses them.
    @Test func anyOtherMayReadWhatIsOpenAndIsToldOfNothingElse() throws {
        #expect(try preflight("GET", from: "https://elsewhere.example") == ["*", "GET"])
        for method in ["POST", "PUT", "DELETE"] { #expect(try preflight(method, from: "https://elsewhere.example") == [nil, nil]) }
    }
}
