@testable import ConsolePlugin
import Foundation
import Martlet
import MartletTesting
import Pipelines
import Testing

@Suite struct ConsoleSinkTests {
    private func record(_ offset: Offset, key: Bytes?, _ payload: Bytes) -> Record {
        Record(
            topic: "likes", partition: 1, offset: offset,
            event: Event(id: "e", key: key, headers: [Header("h", "v")], payload: payload, timestamp: 5))
    }

    /// What a sink with this config prints for the records.
    private func printed(_ config: String, _ batch: [Record]) async throws -> (text: String, result: WriteResult) {
        let pipe = Pipe()
        let sink = try sink(config, pipe.fileHandleForWriting.fileDescriptor)
        try await sink.open()
        let result = try await sink.write(batch)
        await sink.close()
        try pipe.fileHandleForWriting.close()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        return (String(decoding: data, as: UTF8.self), result)
    }

    private func sink(_ json: String, _ descriptor: Int32) throws -> ConsoleSink {
        let host = TestHost(payloads: SimdjsonPayloadReader())
        let config = try ConsoleSinkConfig(json: json, reserved: ["type"])
        return try #require(ConsoleSink(config: config, context: host.context(named: "console"), descriptor: descriptor))
    }

    @Test func withoutATemplateARecordIsOneJSONLine() async throws {
        let batch = [
            record(1, key: "bob", "{\n  \"a\": \"x\\n\"\r\n}"), record(2, key: nil, "not \"JSON\"\n"),
        ]
        let (text, _) = try await printed("{}", batch)
        #expect(
            text == """
                {"topic":"likes","partition":1,"offset":1,"key":"bob","payload":{   "a": "x\\n"  }}
                {"topic":"likes","partition":1,"offset":2,"key":null,"payload":"not \\"JSON\\"\\n"}

                """)
    }

    @Test func aTemplateIsTheLine() async throws {
        let (text, result) = try await printed(
            ReadmeExample.json(of: "Console"), [record(1, key: "bob", #"{"text":"hello"}"#), record(2, key: "eve", #"{"text":1}"#)])
        #expect(text == "bob: hello\neve: 1\n")
        guard case .handled = result else { return #expect(Bool(false), "\(result)") }
    }

    @Test func aRecordThatTheTemplateCannotPrintIsItsOwnFault() async throws {
        let (text, result) = try await printed(
            #"{ "template": "${/text}" }"#, [record(1, key: "bob", "{}"), record(2, key: "eve", #"{"text":"ok"}"#)])
        #expect(text == "ok\n")
        guard case .each(let errors) = result else { return #expect(Bool(false), "\(result)") }
        #expect(errors.map { $0?.code } == ["template.missing_field", nil])
        #expect(errors[0]?.kind == .permanent)
    }

    @Test func aLargeBatchPassesASmallPipe() async throws {
        let pipe = Pipe()
        let sink = try sink("{}", pipe.fileHandleForWriting.fileDescriptor)
        let payload = Bytes("\"" + String(repeating: "x", count: 1_000) + "\"")
        let batch = (0..<1_000).map { record(Offset($0), key: nil, payload) }
        let reader = Task.detached { try pipe.fileHandleForReading.readToEnd()?.count }
        _ = try await sink.write(batch)
        try pipe.fileHandleForWriting.close()
        let count = try #require(try await reader.value)
        #expect(count > 1_000_000)
    }

    @Test func aClosedOutputBlocksTheGroup() async throws {
        let sink = try sink("{}", -1)
        let error = await #expect(throws: ModuleError.self) { _ = try await sink.write([record(1, key: nil, "{}")]) }
        #expect(error?.kind == .blocked)
        #expect(error?.code == "console.closed")
    }

    @Test func aBadTemplateIsReported() throws {
        let error = #expect(throws: ConfigError.self) {
            try TestHost().make(ConsoleSink.self, #"{ "template": "${text}" }"#)
        }
        #expect(error?.description.hasPrefix("config.json:1:16: template: ") == true, "\(error?.description ?? "")")
    }
}
