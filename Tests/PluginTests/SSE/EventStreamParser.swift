/// Reads an event stream as a browser does (HTML, section 9.2.6).
struct EventStreamParser {
    struct Event: Equatable {
        var name: String
        var data: String
        var id: String
    }

    private(set) var events: [Event] = []
    /// What `Last-Event-ID` would be on reconnection.
    private(set) var lastEventID: String
    private(set) var retry: Int?
    private(set) var comments = 0

    private var idBuffer: String
    private var name = ""
    private var data = ""
    private var hasData = false

    /// - Parameter lastEventID: what earlier streams of the client left.
    init(lastEventID: String = "") {
        self.lastEventID = lastEventID
        idBuffer = lastEventID
    }

    /// Takes all of a stream's text; what follows the last empty line is not dispatched.
    mutating func take(_ text: String) {
        var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }
        // What follows the last line end is no line.
        if !lines.isEmpty { lines.removeLast() }
        for line in lines { takeLine(line) }
    }

    private mutating func takeLine(_ line: Substring) {
        if line.isEmpty { return dispatch() }
        if line.hasPrefix(":") {
            comments += 1
            return
        }
        let field = line.prefix { $0 != ":" }
        var value = line.dropFirst(field.count + 1)
        if value.hasPrefix(" ") { value.removeFirst() }
        switch field {
        case "id": if !value.contains("\0") { idBuffer = String(value) }
        case "event": name = String(value)
        case "data":
            data += value + "\n"
            hasData = true
        case "retry": if let number = Int(value) { retry = number }
        default: break
        }
    }

    private mutating func dispatch() {
        lastEventID = idBuffer
        defer { (name, data, hasData) = ("", "", false) }
        guard hasData, !data.isEmpty else { return }
        events.append(Event(name: name.isEmpty ? "message" : name, data: String(data.dropLast()), id: lastEventID))
    }
}
