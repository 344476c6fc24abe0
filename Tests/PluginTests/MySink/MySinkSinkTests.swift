import MySinkPlugin
import Martlet
import MartletTesting
import Pipelines
import Testing

struct MySinkSinkTests {
    /// The sink, whose requests are kept and answered by the test.
    private func sink(_ json: String, _ http: RecordingHTTP) throws -> MySinkSink {
        try TestHost(payloads: SimdjsonPayloadReader(), http: http).make(MySinkSink.self, json)
    }

    @Test func keepsTheContract() async throws {
        let http = RecordingHTTP()
        let away = RecordingHTTP { _ in .failure(.transient("http.unreachable", "nobody listens")) }
        let config = #"{ "url": "http://chat.test", "body": { "id": "${@id}", "text": "${/text}" } }"#
        try await SinkContract.verify(
            payload: { #"{"text": "number \#($0)"}"# }, badPayload: "{}",
            isOrdered: true,
            make: { try sink(config, http) }, makeUnreachable: { try sink(config, away) },
            written: { try http.requests.map { try Posted(json: $0.body?.string ?? "").id } })
    }

    @Test(arguments: [
        (200, nil), (429, .transient), (503, .transient), (422, .permanent), (401, .blocked),
    ] as [(Int, ModuleError.Kind?)])
    func theStatusDecides(status: Int, kind: ModuleError.Kind?) async throws {
        let http = RecordingHTTP { _ in .success(OutgoingResponse(status: status, headers: [], body: "answer")) }
        let sink = try sink(ReadmeExample.json(of: "MySink"), http)
        try await sink.open()
        let event = Event(id: "1", key: nil, payload: #"{"text": "hello"}"#, timestamp: 0)
        guard case .each(let errors) = try await sink.write([Record(topic: "t", partition: 0, offset: 0, event: event)])
        else { return #expect(Bool(false), "no outcome for each record") }
        #expect(errors.map { $0?.kind } == [kind])
        #expect(http.requests.map { $0.body?.string } == [#"{"text":"hello"}"#])
        await sink.close()
    }

    /// What the contract's body looks like.
    private struct Posted: ModuleConfig {
        let id: String

        init(from fields: inout ConfigFields) {
            id = fields.required("id", "The record's id.")
            _ = fields.optional("text", default: "", "The record's text.")
        }
    }
}
