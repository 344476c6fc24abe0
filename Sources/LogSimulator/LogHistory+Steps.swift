import EmbeddedLog

extension LogHistory {
    /// Appends to one to three partitions at once, several times in one cycle.
    mutating func append() throws(SimulationFailure) {
        guard let log else { return }
        var pending: [(index: Int, answer: Answer<[AppendReceipt]>)] = []
        for _ in 0...pick(3) {
            var places: [(place: HistoryModel.Place, count: Int)] = []
            for _ in 0...pick(2) {
                let trimmed = pick(3) == 0
                let place = HistoryModel.Place(
                    topic: trimmed ? Self.trimmed : Self.plain, partition: trimmed ? 0 : Int32(pick(Int(partitions))))
                places.append((place, 1 + pick(4)))
            }
            let index = model.begin(places)
            let appends = model.appends[index].parts.map { part in
                PartitionAppend(topic: part.place.topic, partition: part.place.partition, records: batch(part.records.map { Int64($0) }))
            }
            let answer = Answer<[AppendReceipt]>()
            log.append(appends) { answer.set($0) }
            pending.append((index, answer))
        }
        trail.append("append " + pending.map { "\(model.appends[$0.index].parts.map(\.records))" }.joined(separator: " "))
        log.runCommitCycle()
        for (index, answer) in pending {
            switch answer.get() {
            case .success(let receipts): model.acknowledge(index, baseOffsets: receipts.map(\.baseOffset))
            case .failure(let error) where error.code != .failed: refused(index, error)
            case .failure(let error): trail.append("  \(error.description.prefix(160))")
            case nil: throw failure("an append was not answered")
            }
        }
    }

    private mutating func refused(_ index: Int, _ error: LogError) {
        trail.append("  refused: \(error.code.name)")
        model.refuse(index)
    }

    /// Sends rows of the outbox, from the first that is not acknowledged, as a publisher does.
    mutating func publish() throws(SimulationFailure) {
        guard let log else { return }
        let rows = Array((model.acknowledgedRow + 1)...(model.acknowledgedRow + 1 + Int64(pick(4))))
        let answer = Answer<[AppendReceipt]>()
        let mark = ProducerMark(producerID: 7, rows: rows)
        log.append([PartitionAppend(topic: Self.outbox, partition: 0, records: batch(rows), producer: mark)]) { answer.set($0) }
        trail.append("publish rows \(rows)")
        log.runCommitCycle()
        model.sentRow = max(model.sentRow, rows[rows.count - 1])
        switch answer.get() {
        case .success: model.acknowledgedRow = rows[rows.count - 1]
        case .failure(let error): trail.append("  \(error.code.name)")
        case nil: throw failure("a publication was not answered")
        }
    }

    mutating func commitOffset() throws(SimulationFailure) {
        guard let log else { return }
        let place = HistoryModel.Place(topic: Self.plain, partition: Int32(pick(Int(partitions))))
        let offset = Int64(pick(1000))
        let answer = Answer<Void>()
        log.commitOffsets(group: Self.group, [(place.topic, place.partition, offset)]) { answer.set($0) }
        trail.append("offset \(place.partition) = \(offset)")
        log.runCommitCycle()
        switch answer.get() {
        case .success:
            model.committed[place] = offset
            model.attempted[place] = []
        case .failure(let error):
            trail.append("  \(error.code.name)")
            if error.code == .failed { model.attempted[place, default: []].append(offset) }
        case nil: throw failure("an offset was not answered")
        }
    }

    mutating func batch(_ numbers: [Int64], producer: BatchProducer = .none, withIDs: Bool = false) -> RecordBatch {
        var builder = RecordBatchBuilder(capacity: 512)
        for number in numbers {
            // The number eight times over, then padding: torn records show.
            var value: [UInt8] = []
            for _ in 0..<8 { withUnsafeBytes(of: number.littleEndian) { value.append(contentsOf: $0) } }
            value += [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: pick(400))
            let headers = withIDs ? [RecordHeader(name: RecordHeader.eventID, value: "event-\(number)")] : []
            builder.append(timestamp: clock.now(), key: nil, value: value, headers: headers)
        }
        return builder.finish(producer: producer)
    }
}
