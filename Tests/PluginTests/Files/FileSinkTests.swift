import FilesPlugin
import Foundation
import Martlet
import MartletTesting
import Pipelines
import TestSupport
import Testing

@Suite struct FileSinkTests {
    private func make(_ folder: TemporaryFolder, _ fields: String = "", path: String = "likes.ndjson") throws -> FileSink {
        try TestHost(baseDirectory: folder.path, payloads: SimdjsonPayloadReader()).make(
            FileSink.self, "{\"path\": \"\(folder.path)/\(path)\"\(fields)}")
    }

    private func files(_ folder: TemporaryFolder) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    /// The lines of all files, the finished ones first.
    private static func lines(_ folder: TemporaryFolder) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted { $0.count == $1.count ? $0 < $1 : $0.count < $1.count }
            .sorted { !$0.hasSuffix(".open") && $1.hasSuffix(".open") }
            .flatMap { try String(contentsOfFile: folder.path + "/" + $0, encoding: .utf8).split(separator: "\n").map(String.init) }
    }

    private func record(_ number: Int, _ payload: String? = nil) -> Record {
        Record(
            topic: "likes", partition: 2, offset: Offset(number),
            event: Event(id: Bytes("id-\(number)"), key: "ben", headers: [Header("a", "b")], payload: Bytes(payload ?? "{\"n\":\(number)}"), timestamp: 5))
    }

    @Test(arguments: ["payload", "record"])
    func itKeepsTheContract(format: String) async throws {
        let folder = try TemporaryFolder()
        try await SinkContract.verify(
            payload: { #"{"id": "record-\#($0)"}"# }, badPayload: format == "payload" ? "not json" : nil,
            make: { try make(folder, ", \"format\": \"\(format)\", \"rotate_bytes\": 5000") },
            makeUnreachable: { try make(folder, path: "missing/likes.ndjson") },
            written: {
                try Self.lines(folder).compactMap { line in
                    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                    return object?["id"] as? String
                }
            })
        #expect(try files(folder).count > 1)
    }

    @Test func aRecordIsWrittenWhole() async throws {
        let folder = try TemporaryFolder()
        let sink = try make(folder, #", "format": "record""#)
        try await sink.open()
        _ = try await sink.write([record(1, "{\n \"a\": 1\r\n}"), record(2, "raw")])
        await sink.close()
        let head = #"{"topic":"likes","partition":2,"offset":"#
        #expect(
            try Self.lines(folder) == [
                head + #"1,"id":"id-1","key":"ben","timestamp":5,"headers":{"a":"b"},"payload":{  "a": 1  }}"#,
                head + #"2,"id":"id-2","key":"ben","timestamp":5,"headers":{"a":"b"},"payload_base64":"cmF3"}"#,
            ])
    }

    @Test func filesAreFinishedBySizeAndNoneIsReplaced() async throws {
        let folder = try TemporaryFolder()
        let sink = try make(folder, #", "rotate_bytes": 1024"#)
        try await sink.open()
        for number in 0..<400 { _ = try await sink.write([record(number)]) }
        await sink.close()
        let finished = try files(folder).filter { !$0.hasSuffix(".open") }
        #expect(finished.count == 3)
        #expect(finished.allSatisfy { $0.hasPrefix("likes-20") && $0.hasSuffix(".ndjson") })
        for name in finished {
            let size = try FileManager.default.attributesOfItem(atPath: folder.path + "/" + name)[.size] as? Int
            #expect((1024..<1040).contains(size ?? 0))
        }
        #expect(Set(try Self.lines(folder)).count == 400)
    }

    @Test func filesAreFinishedByAge() async throws {
        let folder = try TemporaryFolder()
        let sink = try make(folder, #", "rotate_seconds": 1"#)
        try await sink.open()
        _ = try await sink.write([record(1)])
        await waitUntil { (try? files(folder).contains { !$0.hasSuffix(".open") }) ?? false }
        await sink.close()
        #expect(try Self.lines(folder) == [#"{"n":1}"#])
    }

    @Test func aHalfWrittenLineIsCutOff() async throws {
        let folder = try TemporaryFolder()
        try "{\"n\":1}\n{\"n\":2}\n{\"n\"".write(toFile: folder.path + "/likes.ndjson.open", atomically: true, encoding: .utf8)
        let sink = try make(folder)
        try await sink.open()
        _ = try await sink.write([record(3)])
        await sink.close()
        #expect(try Self.lines(folder) == [#"{"n":1}"#, #"{"n":2}"#, #"{"n":3}"#])
    }

    @Test func twoSinksDoNotShareAFile() async throws {
        let folder = try TemporaryFolder()
        let first = try make(folder)
        let second = try make(folder)
        try await first.open()
        let error = await #expect(throws: ModuleError.self) { try await second.open() }
        #expect(error?.code == "file.in_use" && error?.kind == .blocked)
        await first.close()
        try await second.open()
        await second.close()
    }
}
