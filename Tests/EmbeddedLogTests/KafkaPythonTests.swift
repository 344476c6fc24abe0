import Foundation
import TestSupport
import Testing

@testable import EmbeddedLog

/// The format against kafka-python's reader and writer, which know nothing of ours.
@Suite struct KafkaPythonTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test(arguments: Compression.allCases)
    func itReadsOurSegments(compression: Compression) throws {
        let batches: [(records: [SampleRecord], producer: BatchProducer)] = [
            (SampleRecord.shapes, .none),
            (SampleRecord.likes(300), BatchProducer(id: 4_294_967_299, epoch: 7, baseSequence: 0)),
            (SampleRecord.likes(1), BatchProducer(id: 4_294_967_299, epoch: 7, baseSequence: 300)),
            (SampleRecord.likes(9000), .none),
        ]
        let log = try UnrecoveredLog(LogConfiguration(directory: folder.path, minFreeBytes: 0, journalBytes: 16 << 20)).recover()
        try log.ensureTopic("t", TopicConfiguration(compression: compression))
        var expected: [String] = []
        var offset: Int64 = 0
        for (records, producer) in batches {
            let receipt = try log.appendAndWait([
                PartitionAppend(topic: "t", partition: 0, records: SampleRecord.batch(records, producer: producer))
            ])
            #expect(receipt[0].baseOffset == offset)
            // A single event and the mixed shapes do not shrink, or hardly.
            let codec = records.count >= 300 ? compression.code : 0
            if records.count >= 300 || compression == .none {
                expected.append("B \(offset) codec \(codec) producer \(producer.id) \(producer.epoch) \(producer.baseSequence) records \(records.count)")
            }
            for record in records {
                expected.append(record.line(offset: offset))
                offset += 1
            }
        }
        log.close()
        let script =
            SampleRecord.python + """
                for batch in MemoryRecords(open(sys.argv[1], "rb").read()):
                    assert batch.magic == 2 and batch.validate_crc(), batch
                    assert batch.leader_epoch == 0 and not batch.is_transactional and not batch.is_control_batch
                    if batch.records_count >= 300 or sys.argv[2] == "none":
                        print("B", batch.base_offset, "codec", batch.compression_type, "producer", batch.producer_id, batch.producer_epoch,
                            batch.base_sequence, "records", batch.records_count)
                    last = batch.last_offset
                    records = list(batch)
                    for record in records: show(record)
                    assert records[-1].offset == last
                    assert batch.first_timestamp == records[0].timestamp and batch.max_timestamp == max(r.timestamp for r in records)
                """
        let lines = try Python.run(script, [folder["log/t/0/00000000000000000000.log"], compression.rawValue])
        #expect(lines == expected)
    }

    @Test(arguments: ["none", "lz4", "zstd", "lz4-linked", "lz4-sized", "zstd-streamed", "zstd-frames", "transactional", "append-time", "control"])
    func weReadItsBatches(kind: String) throws {
        let file = folder["batch"]
        let lines = try Python.run(SampleRecord.python + Self.writer, [file, kind])
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        let batch = try bytes.withUnsafeBytes { try RecordBatch(received: $0, origin: "kafka-python") }
        #expect(batch.withBytes { Array($0) } == bytes)

        let log = try UnrecoveredLog(smallConfiguration(folder.path)).recover()
        defer { log.close() }
        try log.ensureTopic("t", TopicConfiguration(compression: batch.compression == .none ? .none : .lz4))
        try log.append("t", 0, ["first"])
        _ = try log.appendAndWait([PartitionAppend(topic: "t", partition: 0, records: batch)])
        let all = try log.read("t", partition: 0, from: 0, maxBytes: 1 << 20)
        #expect(try SampleRecord.lines(all).dropFirst() == lines[...])
        // What is kept are its bytes, but for the offset.
        let kept = all.withBytes { Array($0.suffix(bytes.count)) }
        #expect(Array(kept[8...]) == Array(bytes[8...]) && kept[..<8] == [0, 0, 0, 0, 0, 0, 0, 1])
        let header = try #require(bytes.withUnsafeBytes { BatchHeader($0.baseAddress!, available: $0.count) })
        #expect(header.producerID == (kind == "control" ? 5 : 91) && header.producerEpoch == 2)
        guard kind == "control" else { return }
        // A marker is no record for consumers: from there on there is nothing, and nobody is woken for it.
        #expect(try log.read("t", partition: 0, from: 1, maxBytes: 1 << 20).isEmpty)
        let woken = Monitor(false)
        _ = try log.onData("t", partition: 0, from: 1) { woken.withLock { $0 = true } }
        #expect(woken.withLock { !$0 })
        try log.append("t", 0, ["next"])
        #expect(woken.withLock { $0 })
        #expect(try SampleRecord.lines(log.read("t", partition: 0, from: 1, maxBytes: 1 << 20)).count == 2)
    }

    /// Our builder's bytes for the same records.
    @Test func uncompressedBatchesAreTheSameBytes() throws {
        let file = folder["batch"]
        let expected = try Python.run(SampleRecord.python + Self.writer, [file, "none"])
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        let records = SampleRecord.shapes + SampleRecord.likes(400)
        #expect(records.enumerated().map { $1.line(offset: Int64($0 + 1)) } == expected)
        let ours = SampleRecord.batch(records, producer: BatchProducer(id: 91, epoch: 2, baseSequence: 17))
        #expect(ours.withBytes { Array($0) } == bytes)
    }

    private static let writer = """
        import lz4.frame, zstandard
        from kafka.record.util import calc_crc32c
        path, kind = sys.argv[1:]
        T = 1700000000000
        records = [
            (T, b"key", b"value", [("martlet-id", b"0190-1")]), (T + 777, None, None, []),
            (1699999999000, b"", b"", [("", None), ("h", b"")]),
            (T, bytes([0, 255, 128]), bytes(range(256)), [("größe", bytes([1, 2, 3]))])]
        for n in range(400):
            value = '{"type":"like","recipient":"owner-%d","actor":"user-%d","post_id":%d}' % (n % 7, n, n * 31)
            records.append((T + n * 3, b"owner-%d" % (n % 7), value.encode(), [("martlet-id", b"0190f3c0-0000-7000-8000-%d" % (100000000000 + n))]))
        codec = {"lz4": 3, "zstd": 4}.get(kind, 0)
        builder = DefaultRecordBatchBuilder(2, codec, kind == "transactional", 91, 2, 17, 1 << 24)
        for index, (timestamp, key, value, headers) in enumerate(records):
            assert builder.append(index, timestamp, key, value, headers)
        data = bytearray(builder.build())

        def seal(data):
            struct.pack_into(">i", data, 8, len(data) - 12)
            struct.pack_into(">I", data, 17, calc_crc32c(bytes(data[21:])))
            return data
        plain = bytes(data[61:])
        def recoded(code, body):
            changed = bytearray(data[:61] + body)
            struct.pack_into(">h", changed, 21, code)
            return seal(changed)
        if kind == "lz4-linked": data = recoded(3, lz4.frame.compress(plain, block_linked=True, store_size=False, content_checksum=True))
        if kind == "lz4-sized": data = recoded(3, lz4.frame.compress(plain, block_linked=False, store_size=True, block_size=lz4.frame.BLOCKSIZE_MAX4MB))
        if kind == "zstd-streamed":
            stream = zstandard.ZstdCompressor(level=1).compressobj()
            data = recoded(4, stream.compress(plain) + stream.flush())
        if kind == "zstd-frames": data = recoded(4, zstandard.ZstdCompressor().compress(plain[:1000]) + zstandard.ZstdCompressor().compress(plain[1000:]))
        if kind == "append-time":
            struct.pack_into(">h", data, 21, 8)
            seal(data)
        if kind == "control":
            # The marker that a transaction coordinator writes: version 0, type 1 (commit).
            builder = DefaultRecordBatchBuilder(2, 0, True, 5, 2, -1, 1 << 16)
            assert builder.append(0, T, struct.pack(">hh", 0, 1), struct.pack(">hi", 0, 3), [])
            data = bytearray(builder.build())
            struct.pack_into(">h", data, 21, 0x30)
            seal(data)
        open(path, "wb").write(data)
        struct.pack_into(">q", data, 0, 1)
        for record in DefaultRecordBatch(bytes(data)):
            if kind == "control": print("control ", end="")
            show(record)
        """
}
