import Martlet

/// A request for a stream.
struct StreamRequest {
    static let headers: [(name: String, value: String)] = [
        ("Content-Type", "text/event-stream"),
        ("Cache-Control", "no-store"),
        // nginx would hold events back otherwise.
        ("X-Accel-Buffering", "no"),
    ]

    let peer: StreamPeer
    let start: StreamStart

    init(_ exchange: any HTTPExchange, _ peer: StreamPeer) throws(StreamRefusal) {
        if let accept = exchange.header("accept"), !Self.accepts(accept) { throw .notAcceptable }
        self.peer = peer
        start = StreamStart(
            header: exchange.header("last-event-id"), query: exchange.queryParameter("last_event_id"))
    }

    /// Ends the request with a stream that says when to come back. An answer of 503 would be the end for a browser's
    /// `EventSource`; this way it asks again, with the same `Last-Event-ID`.
    static func putOff(_ exchange: any HTTPExchange, _ settings: StreamSettings, milliseconds: Int) {
        let stream = exchange.startStream(status: 200, headers: headers, queueLimit: settings.bufferBytes, onClose: {})
        _ = stream.write(EventRenderer.retry(milliseconds: milliseconds))
        stream.close()
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
