import Glibc
package import Martlet

/// Takes events from a Redis Stream, as a consumer of a group, or from a channel.
///
/// 1. decode: ``RedisSourceConfig``.
/// 2. validate: the URL.
/// 3. open: nothing but a thread; a server that is away is waited for.
/// 4. work: a stream's entry is acknowledged (XACK) once its event is in the log, so that it comes at least once. A channel's
///    message comes at most once.
/// 5. close: what is under way ends first.
package final class RedisSource: EventSource {
    package typealias Config = RedisSourceConfig

    package static let name = "redis"
    package static let summary = "Takes events from a Redis Stream with a consumer group, or from a channel."

    private static let waitMilliseconds = 500

    private let client: RedisClient
    private let settings: Config
    private let decoder: RedisEntryDecoder
    private let logger: Logger
    private let rejected: Counter
    private let task = SourceTask()
    private let thread = WorkerSlot()

    package init?(config: Config, context: ModuleContext) {
        guard let endpoint = config.server.endpoint(context) else { return nil }
        client = RedisClient(endpoint, config.server, name: context.name)
        settings = config
        decoder = RedisEntryDecoder(payloadField: config.payloadField, content: config.content, payloads: context.payloads)
        logger = context.logger
        rejected = context.metrics.counter(
            "martlet_redis_source_rejected_total", "Entries and messages that were no events, or refused.", labels: [("source", context.name)])
    }

    package var templateVariables: Set<TemplateVariableKind> { [.header] }

    package func open(intake: any Intake) async throws {
        let worker = try thread.open()
        task.start(logger: logger) { [self] in
            do {
                if let stream = settings.stream?.plain {
                    try await follow(stream: Bytes(stream), intake, worker)
                } else if let channel = settings.channel?.plain {
                    try await follow(channel: channel, intake, worker)
                }
            } catch {
                try await worker.run { [client] in client.close() }
                throw error
            }
        }
    }

    package func close() async {
        await task.stop()
        await thread.close()
    }

    // MARK: Streams

    private func follow(stream: Bytes, _ intake: any Intake, _ worker: BlockingWorker) async throws {
        let group = RedisStreamGroup(
            client, stream: stream, group: Bytes(settings.group), consumer: Bytes(settings.consumer ?? Self.machine),
            fromBeginning: settings.start == .beginning, limit: settings.batchEvents)
        try await worker.run { try group.make() }
        // What this consumer was given before it ended, and has not acknowledged.
        var pendingFrom: Bytes? = "0"
        var nextClaim = ContinuousClock.now
        while true {
            try Task.checkCancellation()
            var entries: [RedisStreamGroup.Entry] = []
            if let start = pendingFrom {
                entries = try await worker.run { try group.pending(after: start) }
                pendingFrom = entries.last?.id
            } else if ContinuousClock.now >= nextClaim {
                entries = try await worker.run { [settings] in try group.claim(idle: settings.claimIdleMilliseconds) }
                if entries.isEmpty { nextClaim = .now + .milliseconds(settings.claimIdleMilliseconds) / 2 }
            }
            if entries.isEmpty, pendingFrom == nil { entries = try await worker.run { try group.new(wait: Self.waitMilliseconds) } }
            guard !entries.isEmpty else { continue }
            let ids = entries.map(\.id)
            // What was deleted since this consumer got it is only acknowledged.
            let read = entries.filter { !$0.isDeleted }
            let inputs = read.map { entry in
                decoder.input(entry.fields, id: Bytes("\(stream.string)/\(entry.id.string)"))
            }
            try await handOn(inputs, names: read.map(\.id.string), intake)
            try await worker.run { try group.acknowledge(ids) }
        }
    }

    // MARK: Channels

    private func follow(channel: String, _ intake: any Intake, _ worker: BlockingWorker) async throws {
        let isPattern = ChannelPattern.isPattern(channel)
        _ = try await worker.run { [client] in try client.run([isPattern ? "PSUBSCRIBE" : "SUBSCRIBE", Bytes(channel)]) }
        while true {
            try Task.checkCancellation()
            let replies = try await worker.run { [client, settings] in
                try client.pushed(wait: Self.waitMilliseconds, limit: settings.batchEvents)
            }
            let messages = replies.map(\.items).filter { $0.count >= 3 && ($0[0].bytes == "message" || $0[0].bytes == "pmessage") }
            guard !messages.isEmpty else { continue }
            let names = messages.map { $0[$0.count - 2].bytes ?? .empty }
            let inputs = zip(names, messages).map { name, message in
                decoder.input(message: message[message.count - 1].bytes ?? .empty, channel: name)
            }
            try await handOn(inputs, names: names.map(\.string), intake)
        }
    }

    private func handOn(_ inputs: [Result<SourceInput, ModuleError>], names: [String], _ intake: any Intake) async throws {
        var good: [SourceInput] = []
        var places: [Int] = []
        for (index, input) in inputs.enumerated() {
            switch input {
            case .success(let input):
                good.append(input)
                places.append(index)
            case .failure(let error): reject(names[index], error)
            }
        }
        let refused = try await intake.settle(good) { [logger] error in
            logger.warning("entries wait: \(error.message)", ("code", error.code))
        }
        for (index, error) in refused { reject(names[places[index]], error) }
    }

    private func reject(_ name: String, _ error: ModuleError) {
        rejected.add()
        let count = rejected.value
        guard count & (count - 1) == 0 else { return }
        logger.error("an entry was refused, and counts as done: \(error.message)", ("code", error.code), ("entry", name), ("so_far", String(count)))
    }

    private static let machine: String = {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "martlet" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()
}
