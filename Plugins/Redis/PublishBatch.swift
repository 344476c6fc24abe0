import Martlet

/// One publisher's messages, as PUBLISH commands.
struct PublishBatch: Sendable {
    let commands: [UInt8]
    let count: Int
    let completion: CheckedContinuation<Void, any Error>

    /// Writes the commands (RESP arrays of bulk strings).
    ///
    /// - Parameter maxMessageBytes: a larger message is replaced by ``MessageEncoder/gap``.
    static func encode(_ messages: [Message], to channel: String, maxMessageBytes: Int) -> [UInt8] {
        var encoder = MessageEncoder()
        var commands: [UInt8] = []
        commands.reserveCapacity(estimate(messages, to: channel))
        var prefix: [UInt8] = []
        prefix.append(literal: "*3\r\n$7\r\nPUBLISH\r\n$")
        prefix.append(decimal: Int64(channel.utf8.count))
        prefix.append(literal: "\r\n")
        prefix.append(contentsOf: channel.utf8)
        prefix.append(literal: "\r\n$")
        for message in messages {
            commands.append(contentsOf: prefix)
            let size = encoder.prepare(message)
            if size > maxMessageBytes {
                commands.append(decimal: Int64(MessageEncoder.gap.utf8CodeUnitCount))
                commands.append(literal: "\r\n")
                commands.append(literal: MessageEncoder.gap)
            } else {
                commands.append(decimal: Int64(size))
                commands.append(literal: "\r\n")
                encoder.append(message, to: &commands)
            }
            commands.append(literal: "\r\n")
        }
        return commands
    }

    /// About how many bytes the commands take.
    static func estimate(_ messages: [Message], to channel: String) -> Int {
        messages.reduce(0) { sum, message in
            let event = message.record.event
            let headers = event.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.count + 12 }
            return sum + event.payload.count + event.id.count + (event.key?.count ?? 0) + headers + channel.utf8.count + 160
        }
    }
}
