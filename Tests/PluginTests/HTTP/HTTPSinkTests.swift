import Foundation
import HTTPPlugin
import Martlet
import MartletTesting
import Pipelines
import TestSupport
import Testing

@Suite struct HTTPSinkTests {
    private func record(_ number: Int, key: String? = nil, _ payload: String? = nil) -> Record {
        Record(
            topic: "likes", partition: 0, offset: Offset(number),
            event: Event(
                id: Bytes("id-\(number)"), key: key.map { Bytes($0) }, payload: Bytes(payload ?? #"{"actor":"a/b","n":\#(number)}"#), timestamp: 5))
    }

    private func make(_ json: String) throws -> HTTPSink {
        try TestHost(payloads: SimdjsonPayloadReader(), http: HTTPClients()).make(HTTPSink.self, json)
    }

    /// The outcomes of one write.
    private func write(_ json: String, _ batch: [Record]) async throws -> [ModuleError?] {
        let sink = try make(json)
        try await sink.open()
        let result = try await sink.write(batch)
        await sink.close()
        if case .each(let errors) = result { return errors }
        return batch.map { _ in nil }
    }

    @Test func itKeepsTheContract() async throws {
        let receiver = try HTTPReceiver()
        try await SinkContract.verify(
            payload: { #"{"n": \#($0)}"# }, badPayload: "{}",
            make: { try make(#"{"url": "\#(receiver.url)/${@id}", "body": {"n": "${/n}"}}"#) },
            makeUnreachable: nil,
            written: { receiver.requests.map { String($0.path.dropFirst()) } })
    }

    @Test func requestsAreAsConfigured() async throws {
        let receiver = try HTTPReceiver()
        let config = #"""
            {"url": "\#(receiver.url)/users/${/actor}?n=${/n}", "method": "PUT", "headers": {"X-Key": "${@key:-none}", "Idempotency-Key": "${@id}"},
             "body": {"text": "${/actor} liked", "n": "${/n}"}}
            """#
        #expect(try await write(config, [record(1, key: "ben")]).map { $0?.code } == [nil])
        let request = try #require(receiver.requests.first)
        #expect(request.method == "PUT")
        #expect(request.path == "/users/a%2Fb?n=1")
        #expect(request.headers["x-key"] == "ben" && request.headers["idempotency-key"] == "id-1")
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.body == #"{"text":"a/b liked","n":1}"#)
    }

    @Test(arguments: [
        (200, nil), (204, nil), (301, ModuleError.Kind.blocked), (400, .permanent), (401, .blocked), (403, .blocked), (404, .blocked),
        (408, .transient), (409, .permanent), (413, .permanent), (422, .permanent), (425, .transient), (429, .transient),
        (500, .transient), (503, .transient),
    ])
    func theStatusDecides(status: Int, kind: ModuleError.Kind?) async throws {
        let receiver = try HTTPReceiver()
        let errors = try await write(#"{"url": "\#(receiver.url)/a/\#(status)"}"#, [record(1)])
        #expect(errors.map { $0?.kind } == [kind])
        if status == 429 { #expect(errors[0]?.retryAfter == .seconds(7)) }
        if kind != nil { #expect(errors[0]?.code == "http.status_\(status)") }
    }

    @Test func aFailureHoldsBackItsKeyAndNoOther() async throws {
        let receiver = try HTTPReceiver()
        let config = #"{"url": "\#(receiver.url)/${/to}"}"#
        let batch = [
            record(0, key: "a", #"{"to":"ok"}"#), record(1, key: "a", #"{"to":"503"}"#), record(2, key: "b", #"{"to":"ok"}"#),
            record(3, key: "a", #"{"to":"ok"}"#), record(4, key: "c", #"{"to":"422"}"#), record(5, key: "c", #"{"to":"ok"}"#),
            record(6, #"{"to":"ok"}"#),
        ]
        let errors = try await write(config, batch)
        #expect(errors.map { $0?.code } == [nil, "http.status_503", nil, "http.held_back", "http.status_422", nil, nil])
        #expect(receiver.requests.count == 6)
    }

    @Test func aServerThatIsAwayIsTransient() async throws {
        let port = try FreePort.take()
        let errors = try await write(#"{"url": "http://127.0.0.1:\#(port)/"}"#, [record(1)])
        #expect(errors[0]?.code == "http.unreachable" && errors[0]?.kind == .transient)
    }

    @Test(arguments: ["${/url}", "http://${/host}/x", "https://example.com${/rest}", "ftp://example.com/", "example.com"])
    func theHostIsTheConfigs(url: String) {
        let error = #expect(throws: ConfigError.self) { try make("{\"url\": \"\(url)\"}") }
        #expect(error?.problems.first.map { "\($0)" }?.contains("a host that stands in the config") == true)
    }
}
