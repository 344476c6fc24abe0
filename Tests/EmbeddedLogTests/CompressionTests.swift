import Synchronization
import TestSupport
import Testing

@testable import EmbeddedLog

@Suite struct CompressionTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open() throws -> EmbeddedLog {
        var configuration = smallConfiguration(folder.path)
        configuration.tailCacheBytes = 0
        return try UnrecoveredLog(configuration).recover(runsThreads: false)
    }

    private func lines(_ log: EmbeddedLog, maxBytes: Int) throws -> [String] {
        var lines: [String] = []
        var offset = try log.startOffset("t", 0)
        while offset < (try log.endOffset("t", 0)) {
            let chunk = try log.read("t", partition: 0, from: offset, maxBytes: maxBytes)
            lines += try SampleRecord.lines(chunk)
            #expect(chunk.nextOffset > offset)
            offset = chunk.nextOffset
        }
        return lines
    }

    @Test(arguments: [Compression.lz4, .zstd])
    func everyReaderDecompresses(compression: Compression) throws {
        var expected: [String] = []
        let records = SampleRecord.likes(2000)
        do {
            let log = try open()
            try log.ensureTopic("t", TopicConfiguration(compression: compression))
            for start in stride(from: 0, to: records.count, by: 50) {
                let part = Array(records[start..<(start + 50)])
                _ = try log.appendAndWait([PartitionAppend(topic: "t", partition: 0, records: SampleRecord.batch(part))])
                for (index, record) in part.enumerated() { expected.append(record.line(offset: Int64(start + index))) }
                if start == 1000 { log.checkpoint() }
            }
            // From memory, then from the segments, in chunks of all sizes.
            #expect(try lines(log, maxBytes: 1 << 20) == expected)
            log.checkpoint()
            for maxBytes in [0, 1, 5000, 1 << 20] { #expect(try lines(log, maxBytes: maxBytes) == expected) }
            #expect(try log.offset("t", 0, atOrAfter: records[1234].timestamp) == 1234)
            #expect(try log.read("t", partition: 0, from: 777, maxBytes: 100).records().firstOffset() == 777)
            let partition = try log.partition("t", 0)
            let stored = partition.state.withLock { $0.segments.reduce(0) { $0 + $1.size } }
            let plain = SampleRecord.batch(records).byteCount
            #expect(stored * 2 < plain, "\(stored) bytes for \(plain)")
        }
        let log = try open()
        #expect(try lines(log, maxBytes: 1 << 20) == expected)
        try log.ensureTopic("t", TopicConfiguration(compression: .none))
        try log.append("t", 0, ["plain"])
        #expect(try log.values("t", from: 1999).last == "plain")
    }

    @Test(arguments: [Compression.lz4, .zstd])
    func compactionKeepsTheCompression(compression: Compression) throws {
        let log = try open()
        try log.ensureTopic("t", TopicConfiguration(cleanup: .compact, compression: compression))
        for round in 0..<60 {
            var records = SampleRecord.likes(70)
            for index in records.indices { records[index].value = Array("round \(round) ".utf8) + (records[index].value ?? []) }
            _ = try log.appendAndWait([PartitionAppend(topic: "t", partition: 0, records: SampleRecord.batch(records))])
        }
        log.checkpoint()
        log.maintain()
        #expect(log.maintenanceTroubles() == [])
        let found = try lines(log, maxBytes: 1 << 20)
        #expect(found.count < 500 && found.count >= 7)
        let chunk = try log.readStored(log.partition("t", 0), from: 0, maxBytes: 100)
        let header = chunk.withBytes { BatchHeader($0.baseAddress!, available: $0.count) }
        #expect(header.map { Int($0.recordCount) } ?? 0 < 70)
        #expect(header.map { $0.checksumMatches(chunk.memory + chunk.start) } == true)
    }

    @Test func whatDoesNotShrinkStaysAsItIs() throws {
        var generator = SeededGenerator(seed: 3)
        let noise = (0..<500).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let batch = SampleRecord.batch([SampleRecord(value: noise)])
        #expect(batch.compressed(with: .zstd) === batch && batch.compressed(with: .lz4) === batch)
        let small = SampleRecord.batch([SampleRecord(value: [1])])
        #expect(small.compressed(with: .lz4) === small)
        let likes = SampleRecord.batch(SampleRecord.likes(100))
        let packed = likes.compressed(with: .lz4)
        #expect(packed.compression == .lz4 && packed.compressed(with: .zstd) === packed)
    }

    @Test func readsAreBoundedByWhatTheyDecompress() throws {
        let log = try open()
        try log.ensureTopic("t", TopicConfiguration(compression: .zstd))
        for _ in 0..<20 {
            _ = try log.appendAndWait([
                PartitionAppend(topic: "t", partition: 0, records: SampleRecord.batch([SampleRecord(value: [UInt8](repeating: 7, count: 90_000))]))
            ])
        }
        let chunk = try log.read("t", partition: 0, from: 0, maxBytes: 100_000)
        // All of them are a few kilobytes on disk; four times the limit is what may come out.
        #expect(chunk.nextOffset == 4)
        #expect(try log.readStored(log.partition("t", 0), from: 0, maxBytes: 100_000).nextOffset == 20)
    }

    /// A batch whose header is right and whose records are the given bytes.
    private func forged(_ records: [UInt8], attributes: Int16) -> [UInt8] {
        var bytes = SampleRecord.batch([SampleRecord(value: [1])]).withBytes { Array($0[..<BatchHeader.bytes]) } + records
        bytes.withUnsafeMutableBytes { all in
            let base = all.baseAddress!
            base.storeBigEndian(Int32(all.count - BatchHeader.lengthEnd), at: 8)
            base.storeBigEndian(attributes, at: 21)
            base.storeBigEndian(CRC32C.of(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(all)[BatchHeader.checksumStart...])), at: 17)
        }
        return bytes
    }

    private func error(_ bytes: [UInt8]) -> LogError? {
        bytes.withUnsafeBytes { bytes in
            do throws(LogError) {
                _ = try RecordBatch(received: bytes, origin: "a test")
                return nil
            } catch {
                return error
            }
        }
    }

    @Test(arguments: [Compression.lz4, .zstd])
    func bombsAreRefusedByName(compression: Compression) throws {
        let zeros = [UInt8](repeating: 0, count: InflatedRecords.maxBatchBytes + 1)
        let packed = try #require(zeros.withUnsafeBytes { BatchEncoder.compress($0, with: compression) { Array($0) } })
        let refused = error(forged(packed, attributes: compression.code))
        #expect(refused?.code == .decompressedTooLarge)
        #expect(refused?.message.contains("67108864") == true && refused?.path == "a test", "\(String(describing: refused))")
    }

    @Test func statedSizesAreNotBelieved() {
        // Zstandard: magic number, a single segment with an 8-byte size; LZ4: magic number, version 1 with a size.
        let huge: [UInt8] = [0, 0, 0, 0, 0, 1, 0, 0]
        let large: [UInt8] = [0, 0, 0, 3, 0, 0, 0, 0]
        let zstd: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE0]
        let lz4: [UInt8] = [0x04, 0x22, 0x4D, 0x18, 0x68, 0x40]
        for (start, code) in [(zstd, Compression.zstd.code), (lz4, Compression.lz4.code)] {
            #expect(error(forged(start + huge + [0], attributes: code))?.code == .decompressedTooLarge)
            #expect(error(forged(start + large + [0, 1, 0, 0, 0], attributes: code))?.code == .damaged)
        }
        let gzip = error(forged([0x1f, 0x8b, 8, 0], attributes: 1))
        #expect(gzip?.code == .unsupportedCompression && gzip?.message.contains("compression type 1") == true)
    }

    @Test func aMaxTimestampThatIsNotIsRefused() {
        var bytes = SampleRecord.batch(SampleRecord.likes(3)).withBytes { Array($0) }
        #expect(error(bytes) == nil)
        bytes.withUnsafeMutableBytes { all in
            all.baseAddress!.storeBigEndian(Int64.max, at: 35)
            BatchHeader.seal(all.baseAddress!, count: all.count)
        }
        #expect(error(bytes)?.message.contains("max timestamp is 9223372036854775807") == true)
    }

    @Test(arguments: [Compression.lz4, .zstd])
    func brokenFramesAreErrorsNotCrashes(compression: Compression) {
        var generator = SeededGenerator(seed: 11)
        let original = SampleRecord.batch(SampleRecord.likes(40)).compressed(with: compression).withBytes { Array($0[BatchHeader.bytes...]) }
        for _ in 0..<2000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if Int.random(in: 0..<4, using: &generator) == 0 { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator)) }
            if let code = error(forged(bytes, attributes: compression.code))?.code { #expect(code == .damaged || code == .decompressedTooLarge) }
        }
    }
}

extension RecordCursor {
    fileprivate func firstOffset() throws -> Int64 {
        var cursor = self
        return try cursor.next() ? cursor.offset : -1
    }
}
