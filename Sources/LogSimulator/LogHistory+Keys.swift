import EmbeddedLog

/// A compacted topic: of each key the newest record counts.
extension LogHistory {
    static let keys = "keys"
    static let keyCount = 6

    /// What a key may be: a number, or deleted.
    typealias KeyState = Int?

    mutating func setKeys() throws(SimulationFailure) {
        guard let log else { return }
        var builder = RecordBatchBuilder(capacity: 2048)
        var changes: [(key: Int, state: KeyState)] = []
        for _ in 0...pick(5) {
            let key = pick(Self.keyCount)
            model.lastRecord += 1
            let state: KeyState = pick(5) == 0 ? nil : model.lastRecord
            let value = state.map { number in withUnsafeBytes(of: Int64(number).littleEndian) { Array($0) } + [UInt8](repeating: 1, count: pick(500)) }
            builder.append(timestamp: clock.now(), key: [UInt8(key)], value: value)
            changes.append((key, state))
        }
        let answer = Answer<[AppendReceipt]>()
        log.append([PartitionAppend(topic: Self.keys, partition: 0, records: builder.finish())]) { answer.set($0) }
        log.runCommitCycle()
        trail.append("keys \(changes)")
        switch answer.get() {
        case .success: for change in changes { model.keys[change.key] = [change.state] }
        case .failure(let error) where error.code == .failed:
            var last: [Int: KeyState] = [:]
            for change in changes { last.updateValue(change.state, forKey: change.key) }
            for (key, state) in last { model.keys[key, default: [nil]].append(state) }
        case .failure(let error): trail.append("  refused: \(error.code.name)")
        case nil: throw failure("an append was not answered")
        }
    }

    /// Compares the newest record of each key with the model.
    mutating func checkKeys(settling: Bool) throws(SimulationFailure) {
        guard let log else { return }
        var found: [Int: KeyState] = [:]
        do throws(LogError) {
            var offset = try log.startOffset(Self.keys, 0)
            let end = try log.endOffset(Self.keys, 0)
            while offset < end {
                let chunk = try log.read(Self.keys, partition: 0, from: offset, maxBytes: 100 + pick(3000))
                if chunk.isEmpty { break }
                var cursor = chunk.records()
                while try cursor.next() {
                    if cursor.offset < offset { throw LogError(.damaged, "offset \(cursor.offset) comes after \(offset - 1)") }
                    offset = cursor.offset + 1
                    let number = cursor.value.map { Int($0.loadUnaligned(as: Int64.self)) }
                    found.updateValue(number, forKey: Int(cursor.key?.first ?? 255))
                }
                offset = max(offset, chunk.nextOffset)
            }
        } catch {
            throw failure("topic \(Self.keys) cannot be read: \(error)")
        }
        for key in 0..<Self.keyCount {
            let state = found[key] ?? nil
            let possible = model.keys[key, default: [nil]]
            if !possible.contains(state), !doubtsKeys { throw failure("key \(key) is \(state.map(String.init) ?? "deleted"), and should be one of \(possible)") }
            if settling { model.keys[key] = [state] }
        }
        if settling { doubtsKeys = false }
    }
}
