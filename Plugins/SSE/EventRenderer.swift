import Glibc
import Martlet

/// Writes events as WHATWG event streams (HTML, section 9.2.6): `id`, `event` and `data` lines, then an empty line.
struct EventRenderer: Sendable {
    private let eventName: TemplateSet?
    private let constantName: String?
    private let data: PayloadTemplate?
    private let payloads: any PayloadReader
    /// An event of more bytes is replaced by a gap, since a slow client's buffer could not hold it.
    private let eventLimit: Int

    init(eventName: Template?, data: PayloadTemplate?, payloads: any PayloadReader, eventLimit: Int) {
        constantName = eventName?.constant
        self.eventName = eventName.flatMap { $0.constant == nil ? TemplateSet([$0]) : nil }
        self.data = data
        self.payloads = payloads
        self.eventLimit = eventLimit
    }

    /// What `event` makes of a message.
    enum Rendered {
        case event(HTTPChunk)
        case gap(HTTPChunk, GapReason)
    }

    /// - Parameter appendID: appends the value of the `id` line; false if there is none.
    func event(_ message: Message, appendID: (inout [UInt8]) -> Bool) throws(ModuleError) -> Rendered {
        let event = message.record.event
        let payload = try data?.render(TemplateInput(message.record), with: payloads) ?? event.payload
        var text: [UInt8] = []
        text.reserveCapacity(payload.count + 128)
        Self.appendIDLine(appendID, to: &text)
        if let name = try name(of: message) {
            text += "event: ".utf8
            text += name.utf8.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            text.append(UInt8(ascii: "\n"))
        }
        Self.appendData(payload, to: &text)
        text.append(UInt8(ascii: "\n"))
        if text.count > eventLimit {
            return .gap(gap(.tooLarge, appendID: appendID), .tooLarge)
        }
        return .event(HTTPChunk(copying: text))
    }

    /// An event that says that others are missing before this id.
    func gap(_ reason: GapReason, appendID: (inout [UInt8]) -> Bool) -> HTTPChunk {
        var text: [UInt8] = []
        Self.appendIDLine(appendID, to: &text)
        text += "event: gap\ndata: {\"reason\":\"\(reason.rawValue)\"".utf8
        var id: [UInt8] = []
        if appendID(&id) {
            text += #","first_kept":""#.utf8
            text += id
            text += #"""#.utf8
        }
        text += "}\n\n".utf8
        return HTTPChunk(copying: text)
    }

    /// The first bytes of a stream. An empty line after `id` sets the client's last event id and dispatches no event,
    /// since there is no data (HTML, 9.2.6): a client that drops before its first event resumes from here.
    static func opening(retryMilliseconds: Int, appendID: (inout [UInt8]) -> Bool) -> HTTPChunk {
        var text = [UInt8]("retry: \(retryMilliseconds)\n: connected\n".utf8)
        if appendIDLine(appendID, to: &text) { text.append(UInt8(ascii: "\n")) }
        return HTTPChunk(copying: text)
    }

    /// A comment, which keeps proxies from closing the connection; with the id, if it has moved, so that a client that
    /// gets few events has a short way to go when it resumes.
    static func heartbeat(appendID: (inout [UInt8]) -> Bool) -> HTTPChunk {
        var text = [UInt8](":\n".utf8)
        if appendIDLine(appendID, to: &text) { text.append(UInt8(ascii: "\n")) }
        return HTTPChunk(copying: text)
    }

    /// Tells the client how long to wait before it reconnects.
    static func retry(milliseconds: Int) -> HTTPChunk {
        HTTPChunk(copying: [UInt8]("retry: \(milliseconds)\n\n".utf8))
    }

    private func name(of message: Message) throws(ModuleError) -> String? {
        if let constantName { return constantName }
        guard let eventName else { return nil }
        return try eventName.evaluate(TemplateInput(message.record), with: payloads).first?.rendered
    }

    @discardableResult
    private static func appendIDLine(_ appendID: (inout [UInt8]) -> Bool, to text: inout [UInt8]) -> Bool {
        let start = text.count
        text += "id: ".utf8
        guard appendID(&text) else {
            text.removeSubrange(start...)
            return false
        }
        text.append(UInt8(ascii: "\n"))
        return true
    }

    /// One `data` line for each line of the payload; CR, LF and CRLF end lines.
    private static func appendData(_ payload: Bytes, to text: inout [UInt8]) {
        payload.withUnsafeBytes { bytes in
            let hasBreaks = bytes.baseAddress.map { base in
                memchr(base, Int32(UInt8(ascii: "\n")), bytes.count) != nil
                    || memchr(base, Int32(UInt8(ascii: "\r")), bytes.count) != nil
            }
            text += "data: ".utf8
            if hasBreaks != true {
                text += bytes
            } else {
                var previous: UInt8 = 0
                for byte in bytes {
                    let isBreak = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
                    if !isBreak {
                        text.append(byte)
                    } else if byte == UInt8(ascii: "\r") || previous != UInt8(ascii: "\r") {
                        text += "\ndata: ".utf8
                    }
                    previous = byte
                }
            }
            text.append(UInt8(ascii: "\n"))
        }
    }
}
