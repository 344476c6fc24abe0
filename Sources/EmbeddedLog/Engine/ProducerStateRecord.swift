/// Records of the topic `__producer_state`: what a partition remembers of an idempotent producer, written in the cycle of the
/// producer's batches; a record without value forgets it.
/// Big-endian: key = version 1 (2 bytes), producer id 8, topic incarnation 16, partition 4 (as in `__producer_marks`);
/// value = version 1 (2 bytes), epoch 2, last append 8, number of batches 2, then for each: base sequence 4, record count 4,
/// base offset 8.
enum ProducerStateRecord {
    static let topic = "__producer_state"
    /// Room that one takes in the journal with the records that forget others, generously.
    static let maxBytes = 448
    private static let headBytes = 14
    private static let batchBytes = 16

    static func value(_ state: ProducerState) -> [UInt8] {
        var bytes: [UInt8] = [0, 1]
        put(state.epoch, &bytes)
        put(state.lastAppend, &bytes)
        put(Int16(state.batches.count), &bytes)
        for batch in state.batches {
            put(batch.baseSequence, &bytes)
            put(batch.count, &bytes)
            put(batch.baseOffset, &bytes)
        }
        return bytes
    }

    static func parseValue(_ bytes: UnsafeRawBufferPointer) -> ProducerState? {
        guard bytes.count >= headBytes, let base = bytes.baseAddress, base.bigEndian(at: 0, as: Int16.self) == 1 else { return nil }
        let count = Int(base.bigEndian(at: 12, as: Int16.self))
        guard (0...ProducerState.keptBatches).contains(count), bytes.count == headBytes + count * batchBytes else { return nil }
        let batches = (0..<count).map { index in
            let place = headBytes + index * batchBytes
            return ProducerState.Batch(
                baseSequence: base.bigEndian(at: place, as: Int32.self), count: base.bigEndian(at: place + 4, as: Int32.self),
                baseOffset: base.bigEndian(at: place + 8, as: Int64.self))
        }
        return ProducerState(
            epoch: base.bigEndian(at: 2, as: Int16.self), batches: batches, lastAppend: base.bigEndian(at: 4, as: Int64.self))
    }

    private static func put<Value: FixedWidthInteger>(_ value: Value, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
