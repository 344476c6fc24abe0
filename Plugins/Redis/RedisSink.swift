package import Martlet

/// Appends records to Redis Streams.
///
/// 1. decode: ``RedisSinkConfig``.
/// 2. validate: the URL, the templates.
/// 3. open: connects and logs in.
/// 4. write: an `XADD` for each record, all sent at once. After a lost connection the batch comes again, so that a stream may hold some
///    entries twice.
/// 5. close: ends the connection.
package final class RedisSink: Sink {
    package typealias Config = RedisSinkConfig

    package static let name = "redis"
    package static let summary = "Appends records to Redis Streams (XADD)."

    private let client: RedisClient
    /// The stream, then the values.
    private let templates: TemplateSet
    private let names: [Bytes]
    private let maxLength: Int?
    private let payloads: any PayloadReader
    private let thread = WorkerSlot()

    package init?(config: Config, context: ModuleContext) {
        let stream = context.template(config.stream, allowing: [.record, .header])
        let values = context.templates(config.fields, allowing: [.record, .header])
        if config.fields.isEmpty { context.problem(at: config.fields.place, "an entry needs at least one field") }
        guard let endpoint = config.server.endpoint(context), let stream, let values, !config.fields.isEmpty else { return nil }
        client = RedisClient(endpoint, config.server, name: context.name)
        templates = TemplateSet([stream] + values.templates)
        names = config.fields.keys.map { Bytes($0) }
        maxLength = config.maxLengthEvents
        payloads = context.payloads
    }

    package var hasAtomicBatches: Bool { false }

    package func open() async throws {
        let worker = try thread.open()
        do {
            try await worker.run { [client] in try client.connect() }
        } catch {
            await thread.close()
            throw error
        }
    }

    package func write(_ batch: [Record]) async throws -> WriteResult {
        guard let worker = thread.current else { throw RedisFailure.closed }
        var outcomes = [ModuleError?](repeating: nil, count: batch.count)
        var commands: [[Bytes]] = []
        var places: [Int] = []
        for (index, record) in batch.enumerated() {
            do throws(ModuleError) {
                commands.append(try command(record))
                places.append(index)
            } catch {
                outcomes[index] = error
            }
        }
        let ready = commands
        if !ready.isEmpty {
            let replies = try await worker.run { [client] in try client.runAll(ready) }
            for (index, reply) in zip(places, replies) {
                if case .error(let text) = reply { outcomes[index] = client.failure(text, ["XADD"]) }
            }
        }
        return outcomes.contains { $0 != nil } ? .each(outcomes) : .handled
    }

    package func close() async {
        if let worker = thread.current { _ = try? await worker.run { [client] in client.close() } }
        await thread.close()
    }

    private func command(_ record: Record) throws(ModuleError) -> [Bytes] {
        let values = try templates.evaluate(TemplateInput(record), with: payloads)
        var words: [Bytes] = ["XADD", Bytes(values[0].rendered)]
        if let maxLength { words += ["MAXLEN", "~", Bytes(String(maxLength))] }
        words.append("*")
        for (name, value) in zip(names, values.dropFirst()) { words += [name, value.keyBytes ?? .empty] }
        return words
    }
}

/// The fields of `"type": "redis"` in a sink.
package struct RedisSinkConfig: ModuleConfig {
    let server: RedisServerConfig
    let stream: ConfigText
    let fields: ConfigMap<ConfigText>
    let maxLengthEvents: Int?

    package init(from fields: inout ConfigFields) {
        server = RedisServerConfig(from: &fields)
        stream = fields.required("stream", "The stream's key, a template.", example: "notifications")
        self.fields = fields.optional(
            "fields", default: ["id": "${@id}", "key": "${@key:-}", "payload": "${@payload}"], "The fields of an entry, templates; JSON null is an empty one.")
        maxLengthEvents = fields.optional(
            "max_length_events", in: 1...1_000_000_000_000, "Entries that the stream keeps, about (`MAXLEN ~`); left out, all.", example: 100_000)
    }
}
