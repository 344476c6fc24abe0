import Glibc
import Martlet
import Pipelines

/// The events in the body of `POST /v1/topics/{topic}/records`.
struct RequestEvents {
    /// Events of one request; beyond it 413.
    static let countMax = 10_000

    /// What a line, or the whole body, is.
    enum Form: String, CaseIterable {
        /// The payload, which is JSON.
        case json
        /// The payload, whatever it is.
        case text
        /// See ``EnvelopeReader``.
        case envelope
    }

    private let form: Form
    private let key: Bytes?
    let firstLine: Int
    private let payloads = SimdjsonPayloadReader()

    /// - Parameters:
    ///   - key: the key of events that bring none.
    ///   - firstLine: the number of the body's first line, for messages.
    init(form: Form, key: Bytes?, firstLine: Int) {
        self.form = form
        self.key = key
        self.firstLine = firstLine
    }

    /// - Parameter isLines: whether each line is an event; empty ones are passed over. Else the whole body is one.
    func read(_ body: Bytes, isLines: Bool) throws(AdminProblem) -> [Event] {
        guard isLines else { return [try event(body, number: firstLine)] }
        var events: [Event] = []
        var number = firstLine - 1
        var start = 0
        while start < body.count {
            let end = lineEnd(body, from: start)
            number += 1
            let hasReturn = end > start && body[end - 1] == UInt8(ascii: "\r")
            let line = body.slice(start..<(hasReturn ? end - 1 : end))
            start = end + 1
            if line.isEmpty { continue }
            guard events.count < Self.countMax else {
                throw AdminProblem(413, "Content Too Large", "more than \(Self.countMax) events; send them in several requests")
            }
            events.append(try event(line, number: number))
        }
        return events
    }

    private func event(_ line: Bytes, number: Int) throws(AdminProblem) -> Event {
        switch form {
        case .envelope:
            var event = try EnvelopeReader().read(line, number: number)
            if event.key == nil { event.key = key }
            return event
        case .json:
            do throws(PayloadError) {
                try payloads.check(line)
            } catch {
                throw .badRequest("line \(number): \(error.message); format `text` takes payloads that are not JSON")
            }
            return event(payload: line)
        case .text:
            return event(payload: line)
        }
    }

    private func event(payload: Bytes) -> Event {
        Event(id: EventID.generate(), key: key, payload: payload, timestamp: Timestamp.now())
    }

    private func lineEnd(_ body: Bytes, from start: Int) -> Int {
        body.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let found = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
            else { return bytes.count }
            return UnsafeRawPointer(found) - base
        }
    }
}
