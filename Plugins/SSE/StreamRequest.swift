import Martlet

/// A request for a stream.
struct StreamRequest {
    static let headers: [(name: String, value: String)] = [
        ("Content-Type", "text/event-stream"),
        ("Cache-Control", "no-store"),
        // nginx would hold events back otherwise.
        ("X-Accel-Buffering", "no"),
    ]

    let key: Bytes
    let start: StreamStart

    init(_ exchange: any HTTPExchange, key: Bytes) throws(StreamRefusal) {
        if let accept = exchange.header("accept"), !Self.accepts(accept) { throw .notAcceptable }
        self.key = key
        start = StreamStart(
            header: exchange.header("last-event-id"), query: exchange.queryParameter("last_event_id"))
    }

    /// Whether an `Accept` field has room for an event stream.
    private static func accepts(_ field: String) -> Bool {
        if field.isEmpty || field == "text/event-stream" || field == "*/*" { return true }
        return field.split(separator: ",").contains { range in
            let type = range.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
            return type == "text/event-stream" || type == "text/*" || type == "*/*"
        }
    }
}
