import EmbeddedLog

/// Appends that are kept once: an idempotent producer's, and events whose ids the topic knows.
extension LogHistory {
    static let sequenced = "sequenced"
    static let once = "once"
    static let onceWindow = DeduplicationWindow(events: 60, milliseconds: 86_400_000)

    // MARK: Sequences

    /// Sends the next batch, or one that the log must recognise or refuse.
    mutating func produce() throws(SimulationFailure) {
        let recent = model.producer.acknowledged.suffix(4)
        switch pick(8) {
        case 0 where !recent.isEmpty: try repeatBatch(recent[recent.startIndex + pick(recent.count)])
        case 1 where !recent.isEmpty: try breakSequence()
        case 2 where model.producer.epoch > 0 && !recent.isEmpty: try useOldEpoch()
        case 3 where model.producer.pending == nil && !recent.isEmpty:
            model.producer.epoch += 1
            model.producer.acknowledged = []
            try sendNext()
        default: try sendNext()
        }
    }

    private mutating func sendNext() throws(SimulationFailure) {
        let batch = model.producer.nextBatch(1 + pick(4))
        let wasSent = model.producer.pending != nil
        model.producer.lastSent = max(model.producer.lastSent, batch.numbers[batch.numbers.count - 1])
        switch try send(batch, epoch: model.producer.epoch, "sequence") {
        case .success(let receipt):
            if receipt.isRepetition, !wasSent { throw failure("a first batch was answered as a repetition: \(receipt)") }
            model.producer.acknowledge(batch, at: receipt.baseOffset)
        case .failure(let error):
            if error.code == .outOfOrderSequence || error.code == .producerFenced { throw failure("the next batch was refused: \(error)") }
            if error.code == .failed { model.producer.pending = batch }
        }
    }

    private mutating func repeatBatch(_ batch: ProducerModel.Batch) throws(SimulationFailure) {
        switch try send(batch, epoch: model.producer.epoch, "repeat sequence") {
        case .success(let receipt):
            if !receipt.isRepetition || receipt.baseOffset != batch.offset || receipt.newRecords != 0 {
                throw failure("a repeated batch, first at \(batch.offset), was answered with \(receipt)")
            }
        case .failure(let error):
            if error.code == .outOfOrderSequence { throw failure("a repeated batch was refused: \(error)") }
        }
    }

    private mutating func breakSequence() throws(SimulationFailure) {
        let last = model.producer.pending ?? model.producer.acknowledged[model.producer.acknowledged.count - 1]
        let batch = ProducerModel.Batch(sequence: last.next + 1 + Int32(pick(3)), numbers: [-1])
        if case .success = try send(batch, epoch: model.producer.epoch, "gap before sequence") { throw failure("a gap was accepted") }
    }

    private mutating func useOldEpoch() throws(SimulationFailure) {
        let batch = ProducerModel.Batch(sequence: 0, numbers: [-1])
        if case .success = try send(batch, epoch: model.producer.epoch - 1, "old epoch, sequence") { throw failure("an old epoch was accepted") }
    }

    private mutating func send(
        _ batch: ProducerModel.Batch, epoch: Int16, _ what: String
    ) throws(SimulationFailure) -> Result<AppendReceipt, LogError> {
        guard let log else { return .failure(LogError(.closed, "there is no log")) }
        let producer = BatchProducer(id: model.producer.id, epoch: epoch, baseSequence: batch.sequence)
        let records = self.batch(batch.numbers, producer: producer)
        let answer = Answer<[AppendReceipt]>()
        log.append([PartitionAppend(topic: Self.sequenced, partition: 0, records: records)]) { answer.set($0) }
        log.runCommitCycle()
        trail.append("\(what) \(epoch)/\(batch.sequence) \(batch.numbers)")
        guard let result = answer.get() else { throw failure("an append was not answered") }
        if case .failure(let error) = result { trail.append("  \(error.code.name)") }
        return result.map { $0[0] }
    }

    // MARK: Event ids

    /// Appends events, some of them sent before, to any partition.
    mutating func appendOnce() throws(SimulationFailure) {
        guard let log else { return }
        var events: [Int] = []
        for _ in 0...pick(3) {
            if model.once.lastEvent > 0, pick(2) == 0 {
                events.append(max(1, model.once.lastEvent - pick(12)))
            } else {
                model.once.lastEvent += 1
                events.append(model.once.lastEvent)
            }
        }
        let partition = Int32(pick(2))
        let answer = Answer<[AppendReceipt]>()
        log.append([PartitionAppend(topic: Self.once, partition: partition, records: batch(events.map { Int64($0) }, withIDs: true))]) {
            answer.set($0)
        }
        log.runCommitCycle()
        trail.append("once \(events) to \(partition)")
        switch answer.get() {
        case .success(let receipts): try note(events, partition, receipts[0])
        case .failure(let error):
            trail.append("  \(error.code.name)")
            if error.code == .failed { model.once.uncertain.formUnion(events.filter { model.once.places[$0] == nil }) }
        case nil: throw failure("an append was not answered")
        }
    }

    private mutating func note(_ events: [Int], _ partition: Int32, _ receipt: AppendReceipt) throws(SimulationFailure) {
        for (index, event) in events.enumerated() {
            let answered = receipt.place(of: index, in: partition)
            let place = OnceModel.Place(partition: answered.partition, offset: answered.offset)
            if let known = model.once.places[event], known != place { throw failure("event \(event) is at \(known), and was answered with \(place)") }
            model.once.places[event] = place
            model.once.uncertain.remove(event)
        }
    }

    // MARK: Repairs

    /// Goes on as another producer, from what is there.
    mutating func replaceProducer() throws(SimulationFailure) {
        let end = try read(HistoryModel.Place(topic: Self.sequenced, partition: 0)).end
        model.producer = ProducerModel(id: model.producer.id + 1, lastAcknowledged: end, lastSent: end)
        doubtsProducer = false
    }

    /// What was given up may be there all the same, if a repair was interrupted.
    mutating func forgetLostEvents() {
        for (event, place) in model.once.places
        where model.isLost(HistoryModel.Place(topic: Self.once, partition: place.partition), place.offset) {
            model.once.places[event] = nil
            model.once.uncertain.insert(event)
        }
    }

    // MARK: Checking

    /// The producer's records were sent from 1 on, and each is kept once: so number and offset go together.
    private mutating func checkSequence() throws(SimulationFailure) {
        let place = HistoryModel.Place(topic: Self.sequenced, partition: 0)
        let records = try read(place).records
        let offsets = Set(records.map(\.offset))
        for record in records where Int64(record.record) != record.offset + 1 {
            throw failure("the producer's records arrived as \(records.map(\.record))")
        }
        let end = (records.last?.offset ?? -1) + 1
        for offset in 0..<max(end, model.producer.lastAcknowledged) where !offsets.contains(offset) && !model.isLost(place, offset) {
            throw failure("record \(offset + 1) of the producer is missing: \(records.map(\.record))")
        }
        if end > model.producer.lastSent { throw failure("the producer has \(end) records, and \(model.producer.lastSent) was the last sent") }
    }

    mutating func checkOnce() throws(SimulationFailure) {
        try checkSequence()
        var found: [Int: OnceModel.Place] = [:]
        for partition in 0..<Int32(2) {
            for item in try read(HistoryModel.Place(topic: Self.once, partition: partition)).records {
                let place = OnceModel.Place(partition: partition, offset: item.offset)
                if let first = found[item.record] { throw failure("event \(item.record) is at \(first) and at \(place)") }
                found[item.record] = place
            }
        }
        for (event, place) in model.once.places where found[event] != place {
            throw failure("event \(event) was acknowledged at \(place), and is at \(found[event].map { "\($0)" } ?? "no place")")
        }
        for event in found.keys where model.once.places[event] == nil && !model.once.uncertain.contains(event) {
            throw failure("event \(event) is there, and was refused")
        }
    }
}
