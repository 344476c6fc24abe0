package import Martlet

/// What happens to a source's inputs: transforms, then `save` with the outbox, or `publish` straight to the log or a bus.
package final class SourcePipeline: Intake {
    private let name: String
    private let transforms: TransformChain
    private let save: SavePlan?
    private let publish: PublishPlan
    private let log: any EventLog
    private let gate: IntakeGate
    private let payloads: any PayloadReader
    private let metrics: SourceMetrics
    private let logger: Logger

    init(
        name: String, transforms: TransformChain, save: SavePlan?, publish: PublishPlan, log: any EventLog,
        gate: IntakeGate, payloads: any PayloadReader, metrics: SourceMetrics, logger: Logger
    ) {
        self.name = name
        self.transforms = transforms
        self.save = save
        self.publish = publish
        self.log = log
        self.gate = gate
        self.payloads = payloads
        self.metrics = metrics
        self.logger = logger
    }

    package func accept(_ inputs: [SourceInput], completion: @escaping @Sendable ([IntakeOutcome]) -> Void) {
        metrics.received.add(inputs.count)
        let started = ContinuousClock.now
        guard gate.enter(inputs.count) else {
            let refused = inputs.map { _ in IntakeGate.refusal }
            metrics.count(refused)
            return completion(refused)
        }
        let counted: @Sendable ([IntakeOutcome]) -> Void = { [metrics, gate] outcomes in
            gate.leave(inputs.count)
            metrics.count(outcomes)
            metrics.latency.record(.now - started)
            completion(outcomes)
        }
        if inputs.isEmpty { return counted([]) }
        guard !transforms.transforms.isEmpty else { return handle(inputs, counted) }
        Task { await transform(inputs, counted) }
    }

    private func handle(_ inputs: [SourceInput], _ completion: @escaping @Sendable ([IntakeOutcome]) -> Void) {
        if let save {
            saveEach(inputs, save, completion)
        } else {
            publishAll(inputs, completion)
        }
    }

    // MARK: Save and outbox

    private func saveEach(
        _ inputs: [SourceInput], _ save: SavePlan, _ completion: @escaping @Sendable ([IntakeOutcome]) -> Void
    ) {
        let collector = OutcomeCollector(count: inputs.count, completion: completion)
        for (index, input) in inputs.enumerated() {
            do throws(ModuleError) {
                try saveOne(input, save) { collector.set(index, $0) }
            } catch {
                collector.set(index, .rejected(error))
            }
        }
    }

    /// Everything that can be evaluated before the transaction is, so that the database's writer is taken briefly.
    private func saveOne(
        _ input: SourceInput, _ save: SavePlan, answer: @escaping @Sendable (IntakeOutcome) -> Void
    ) throws(ModuleError) {
        if let key = input.idempotencyKey, !(1...255).contains(key.utf8.count) {
            throw .permanent("idempotency.bad_key", "an Idempotency-Key has 1 to 255 bytes, found \(key.utf8.count)")
        }
        let parameters = try save.binding.parameters.evaluate(TemplateInput(input), with: payloads)
        let now = Timestamp.now()
        let plan = publish
        let topic = plan.destination.topicName
        let makeEvent: SaveRequest.MakeEvent
        if plan.readsSavedColumns {
            makeEvent = { (saved) throws(ModuleError) in
                (topic, try plan.makeEvent(TemplateInput(input, saved: saved), at: now))
            }
        } else {
            let event = try plan.makeEvent(TemplateInput(input), at: now)
            makeEvent = { (_) throws(ModuleError) in (topic, event) }
        }
        save.outbox.submit(
            SaveRequest(
                statement: save.binding.statement, parameters: parameters, makeEvent: makeEvent, inputBytes: input.payload.count,
                idempotency: input.idempotencyKey.map {
                    IdempotentRequest(
                        source: input.callerScope.map { "\(name) \($0)" } ?? name, key: $0, body: input.received ?? input.payload)
                },
                answer: answer))
    }

    // MARK: Publish without a save: the answer waits for the log or the bus

    private func publishAll(_ inputs: [SourceInput], _ completion: @escaping @Sendable ([IntakeOutcome]) -> Void) {
        var events: [Event] = []
        events.reserveCapacity(inputs.count)
        var failures: [Int: ModuleError] = [:]
        let now = Timestamp.now()
        for (index, input) in inputs.enumerated() {
            do throws(ModuleError) {
                events.append(try publish.makeEvent(TemplateInput(input), at: now))
            } catch {
                failures[index] = error
            }
        }
        let count = inputs.count
        guard !events.isEmpty else {
            return completion((0..<count).compactMap { index in failures[index].map { .rejected($0) } })
        }
        let accepted = events
        let failed = failures
        /// Calls back with the outcomes of all inputs, given those of the events that were made.
        let finish: @Sendable ((Int) -> IntakeOutcome) -> Void = { outcome in
            var next = 0
            completion((0..<count).map { index in
                if let error = failed[index] { return .rejected(error) }
                defer { next += 1 }
                return outcome(next)
            })
        }
        switch publish.destination {
        case .topic(let topic):
            log.append(accepted, to: topic, mark: nil) { result in
                finish { number in Self.outcome(accepted[number], topic, result.map { $0[number] }) }
            }
        case .bus(let publisher):
            publisher.publish(accepted) { result in
                finish { Self.outcome(accepted[$0], result) }
            }
        }
    }

    private static func outcome(
        _ event: Event, _ topic: TopicName, _ result: Result<RecordPlace, ModuleError>
    ) -> IntakeOutcome {
        switch result {
        case .success(let place): .published(id: event.id, topic: topic, partition: place.partition, offset: place.offset)
        case .failure(let error): failed(error)
        }
    }

    private static func outcome(_ event: Event, _ result: Result<Void, ModuleError>) -> IntakeOutcome {
        switch result {
        case .success: .sent(id: event.id)
        case .failure(let error): failed(error)
        }
    }

    private static func failed(_ error: ModuleError) -> IntakeOutcome {
        error.kind == .permanent ? .rejected(error) : .unavailable(error, retryAfter: error.retryAfter ?? .seconds(1))
    }

    // MARK: Transforms

    private func transform(_ inputs: [SourceInput], _ completion: @escaping @Sendable ([IntakeOutcome]) -> Void) async {
        let records = inputs.map { input in
            Record(
                topic: publish.destination.topicName, partition: 0, offset: 0,
                event: Event(id: input.id ?? .empty, key: input.key, headers: input.headers, payload: input.payload, timestamp: Timestamp.now()))
        }
        let results: [Result<[Record], ModuleError>]
        do {
            results = try await transforms.apply(to: records)
        } catch {
            let failure = error as? ModuleError ?? .transient("source.transform_failed", "\(error)")
            return completion(inputs.map { _ in .unavailable(failure, retryAfter: .seconds(1)) })
        }
        let collector = OutcomeCollector(count: inputs.count, completion: completion)
        for (index, result) in results.enumerated() {
            switch result {
            case .failure(let error): collector.set(index, .rejected(error))
            case .success(let outputs) where outputs.isEmpty: collector.set(index, .filtered)
            case .success(let outputs):
                let parts = outputs.enumerated().map { part, output in
                    inputs[index].replaced(by: output, part: outputs.count > 1 ? part : nil)
                }
                handle(parts) { collector.set(index, Self.worst($0)) }
            }
        }
    }

    /// An input that became several events failed if any of them did.
    private static func worst(_ outcomes: [IntakeOutcome]) -> IntakeOutcome {
        let failure = outcomes.first { outcome in
            switch outcome {
            case .rejected, .unavailable, .conflict: true
            case .saved, .unchanged, .published, .sent, .filtered: false
            }
        }
        return failure ?? outcomes.first ?? .filtered
    }
}

extension SourceInput {
    /// - Parameter part: its number among several that the input was split into.
    fileprivate func replaced(by record: Record, part: Int?) -> SourceInput {
        var input = self
        input.received = payload
        // They are no repetitions of each other, but each of its own when the input comes again.
        if let part { input.idempotencyKey = idempotencyKey.map { "\($0)/\(part)" } }
        input.payload = record.event.payload
        input.headers = record.event.headers
        // Parts of a split input without an id get new ones.
        if id != nil { input.id = record.event.id }
        input.key = record.event.key
        return input
    }
}
