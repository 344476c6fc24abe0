import Martlet

/// Reads an event stream (WHATWG HTML, section 9.2.6) as its bytes come.
struct EventStreamReader {
    private var line: [UInt8] = []
    private var endsWithReturn = false
    private var lastID = ""
    private var type = ""
    private var data: [String] = []

    /// The events that are whole with these bytes, as a config test sees them: `id`, `event`, and `data`, as JSON if it is some.
    mutating func take(_ bytes: Bytes) -> [JSONNode] {
        var events: [JSONNode] = []
        bytes.withUnsafeBytes { bytes in
            for byte in bytes {
                let isPairOfReturn = endsWithReturn && byte == UInt8(ascii: "\n")
                endsWithReturn = byte == UInt8(ascii: "\r")
                if isPairOfReturn { continue }
                guard endsWithReturn || byte == UInt8(ascii: "\n") else {
                    line.append(byte)
                    continue
                }
                if let event = take(line: String(decoding: line, as: UTF8.self)) { events.append(event) }
                line.removeAll(keepingCapacity: true)
            }
        }
        return events
    }

    private mutating func take(line: String) -> JSONNode? {
        guard !line.isEmpty else { return dispatch() }
        let name = line.prefix { $0 != ":" }
        var value = line.dropFirst(name.count + 1)
        if value.first == " " { value.removeFirst() }
        switch name {
        case "id": lastID = String(value)
        case "event": type = String(value)
        case "data": data.append(String(value))
        default: break
        }
        return nil
    }

    /// A block without data sets the last id only.
    private mutating func dispatch() -> JSONNode? {
        defer {
            type = ""
            data = []
        }
        guard !data.isEmpty else { return nil }
        let text = data.joined(separator: "\n")
        return .object([
            ("id", .string(lastID)), ("event", .string(type.isEmpty ? "message" : type)),
            ("data", JSONReader.read(text, problems: ConfigProblems(file: "")) ?? .string(text)),
        ])
    }
}
