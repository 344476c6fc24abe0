package import Martlet

/// Writes records that a group gave up on to `<topic>.dead-letters`, with headers that say why.
package struct DeadLetters: Sendable {
    /// What a dead letter's own headers may add to a record; the log takes so much more than the largest event.
    package static let headerBytes = 16_384
    private static let messageBytes = 4_096

    private let log: any EventLog
    private let group: GroupName

    package init(log: any EventLog, group: GroupName) {
        self.log = log
        self.group = group
    }

    /// Returns when the log has acknowledged the dead letter.
    package func write(_ record: Record, error: ModuleError, attempts: Int) async throws {
        var event = record.event
        event.headers.removeAll { $0.name.hasPrefix("dead-letter-") }
        event.headers += [
            Header("dead-letter-group", Bytes(group.text)),
            Header("dead-letter-error", Bytes(Self.clipped(error.message))),
            Header("dead-letter-code", Bytes(error.code)),
            Header("dead-letter-attempts", Bytes(String(attempts))),
            Header("dead-letter-topic", Bytes(record.topic.text)),
            Header("dead-letter-partition", Bytes(String(record.partition))),
            Header("dead-letter-offset", Bytes(String(record.offset))),
            Header("dead-letter-timestamp", Bytes(String(Timestamp.now()))),
        ]
        _ = try await log.append([event], to: record.topic.deadLetters)
    }

    /// A database may put a whole row into its message.
    private static func clipped(_ message: String) -> String {
        message.utf8.count <= messageBytes ? message : String(decoding: message.utf8.prefix(messageBytes), as: UTF8.self) + "…"
    }
}
