import TestSupport
import Testing

@testable import EmbeddedLog

@Suite struct FormatTests {
    @Test func checksumVectors() {
        // RFC 3720 B.4, and the usual check string.
        let vectors: [([UInt8], UInt32)] = [
            (Array("123456789".utf8), 0xE306_9283),
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xff, count: 32), 0x62A8_AB43),
            ((0..<32).map { UInt8($0) }, 0x46DD_794E),
        ]
        for (bytes, expected) in vectors {
            #expect(bytes.withUnsafeBytes { CRC32C.of($0) } == expected)
            #expect(bytes.withUnsafeBytes { CRC32C.softwareOf($0) } == expected)
        }
    }

    @Test(arguments: [
        (0, [0]), (-1, [1]), (1, [2]), (63, [0x7e]), (-64, [0x7f]), (64, [0x80, 1]), (300, [0xd8, 4]),
        (.max, [0xfe] + [UInt8](repeating: 0xff, count: 8) + [1]), (.min, [UInt8](repeating: 0xff, count: 9) + [1]),
    ] as [(Int64, [UInt8])])
    func varints(value: Int64, bytes: [UInt8]) {
        var room = [UInt8](repeating: 0, count: Varint.maxBytes)
        let count = room.withUnsafeMutableBytes { Varint.write(value, to: $0.baseAddress!) }
        #expect(Array(room[..<count]) == bytes)
        #expect(Varint.length(value) == count)
        var position = 0
        #expect(bytes.withUnsafeBytes { Varint.read($0.baseAddress!, &position, end: $0.count) } == value)
        #expect(position == count)
        var cut = 0
        #expect(bytes.withUnsafeBytes { Varint.read($0.baseAddress!, &cut, end: $0.count - 1) } == nil)
    }

    /// Written by kafka-python 2.0.2: two records, one with a header, one with neither key nor value.
    @Test func batchAsKafkaPythonWritesIt() throws {
        var builder = RecordBatchBuilder()
        builder.append(timestamp: 1_700_000_000_000, key: Array("k".utf8), value: Array("value".utf8), headers: [RecordHeader(name: "h", value: "v")])
        builder.append(timestamp: 1_700_000_000_005, key: nil as [UInt8]?, value: nil)
        let records = builder.finish()
        #expect(records.withBytes { hex($0) } == KafkaVectors.twoRecords)
    }

    @Test func recordsComeBack() throws {
        var builder = RecordBatchBuilder(capacity: 1)
        let large = [UInt8](repeating: 7, count: 70_000)
        builder.append(timestamp: 10, key: [1, 2], value: large, headers: [RecordHeader(name: "a", value: nil), RecordHeader(name: "", value: [])])
        builder.append(timestamp: 5, key: [], value: [])
        let records = builder.finish(producer: BatchProducer(id: 42, epoch: 3, baseSequence: 9))
        let chunk = records.withBytes { LogChunk(copying: $0, from: 0, path: nil) }
        var cursor = chunk.records()
        #expect(try cursor.next())
        #expect(cursor.offset == 0 && cursor.timestamp == 10)
        #expect(cursor.key.map { Array($0) } == [1, 2] && cursor.value.map { Array($0) } == large)
        var headers: [RecordHeader] = []
        try cursor.forEachHeader { name, value in
            headers.append(RecordHeader(name: String(decoding: name, as: UTF8.self), value: value.map { Array($0) }))
        }
        #expect(headers == [RecordHeader(name: "a", value: nil), RecordHeader(name: "", value: [])])
        #expect(try cursor.next())
        #expect(cursor.offset == 1 && cursor.timestamp == 5 && cursor.key?.count == 0 && cursor.value?.count == 0)
        #expect(try !cursor.next())
        #expect(chunk.nextOffset == 2)
        let header = records.withBytes { BatchHeader($0.baseAddress!, available: $0.count) }
        #expect(header?.producerID == 42 && header?.producerEpoch == 3 && header?.baseSequence == 9 && header?.maxTimestamp == 10)
    }

    @Test func chunksEndInZeros() {
        let chunk = batch(["x"]).withBytes { LogChunk(copying: $0, from: 0, path: nil) }
        let after = UnsafeRawBufferPointer(start: chunk.memory + chunk.end, count: LogChunk.padding)
        #expect(after.allSatisfy { $0 == 0 })
    }

    @Test func droppingFirstRecordsKeepsTheRest() throws {
        let rest = batch(["a", "b", "c"], key: "k").dropping(first: 2)
        let chunk = rest.withBytes { LogChunk(copying: $0, from: 0, path: nil) }
        var cursor = chunk.records()
        #expect(try cursor.next())
        #expect(cursor.value.map { String(decoding: $0, as: UTF8.self) } == "c" && cursor.offset == 0)
        #expect(rest.recordCount == 1)
    }

    @Test func brokenRecordsAreErrorsNotCrashes() {
        var generator = SeededGenerator(seed: 7)
        let original = batch(["hello", "world"], key: "key")
        for _ in 0..<3000 {
            var bytes = original.withBytes { Array($0) }
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 61..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let chunk = bytes.withUnsafeBytes { LogChunk(copying: $0, from: 0, path: nil) }
            var cursor = chunk.records()
            do throws(LogError) {
                while try cursor.next() { try cursor.forEachHeader { _, _ in } }
            } catch {
                #expect(error.code == .damaged)
            }
        }
    }

    @Test func topicFileReadsBack() throws {
        let settings = TopicConfiguration(partitions: 3, retentionMilliseconds: 5, segmentBytes: 4096, cleanup: .compact)
        let id = UUIDBytes.random()
        let bytes = TopicFile.encode(name: "a.b", incarnation: id, settings)
        let (name, incarnation, read) = try TopicFile.decode(bytes, path: "p")
        #expect(name == "a.b" && incarnation == id && read == settings)
        var damaged = bytes
        damaged[20] ^= 1
        #expect(throws: LogError.self) { _ = try TopicFile.decode(damaged, path: "p") }
    }

    private func hex(_ bytes: UnsafeRawBufferPointer) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
