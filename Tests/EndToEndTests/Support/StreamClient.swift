import Foundation
import Synchronization
import TestSupport

/// An EventSource as the WHATWG describes it: it remembers the last id, and a new connection resumes there.
final class StreamClient: Sendable {
    struct Message: Sendable {
        let id: String
        let name: String
        let data: String

        /// A member of the JSON in `data`.
        func text(_ key: String) -> String? {
            (try? JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any])?[key] as? String
        }
    }

    private struct State {
        var headers: [String]
        var messages: [Message] = []
        var lastID: String?
        var connection: HTTPConnection?
        var isReading = false
        var end: String?
    }

    private let path: String
    private let state: Mutex<State>

    /// - Parameter headers: lines of each request beside `Accept` and `Last-Event-ID`.
    init(_ path: String, headers: [String] = []) {
        self.path = path
        state = Mutex(State(headers: headers))
    }

    /// For the next connection.
    var headers: [String] {
        get { state.withLock { $0.headers } }
        set { state.withLock { $0.headers = newValue } }
    }

    var messages: [Message] { state.withLock { $0.messages } }
    /// The `id` that the next connection sends as Last-Event-ID.
    var lastID: String? { state.withLock { $0.lastID } }
    var isConnected: Bool { state.withLock { $0.isReading } }

    /// Connects, with the last id if there is one, and reads on a thread of its own. Returns after the answer's head.
    func connect(to address: String) async throws {
        let lastID = lastID
        let further = headers
        let connection = try await onThread { [path] in
            let connection = try HTTPConnection(address, timeoutSeconds: 120)
            let headers = ["Accept: text/event-stream"] + further + (lastID.map { ["Last-Event-ID: \($0)"] } ?? [])
            try connection.send(HTTPConnection.text("GET", path, headers: headers))
            let (status, fields) = try connection.readHead()
            guard status == 200, fields["content-type"]?.hasPrefix("text/event-stream") == true else {
                throw TestFailure("no stream: \(status) \(fields)")
            }
            return (connection, fields["transfer-encoding"] == "chunked")
        }
        state.withLock { state in
            state.connection = connection.0
            state.isReading = true
        }
        guard connection.1 else { throw TestFailure("the stream is not chunked") }
        Thread.detachNewThread { self.read(connection.0) }
    }

    /// The head of the answer; the connection is given up then.
    func head(from address: String) async throws -> [String: String] {
        let further = headers
        return try await onThread { [path] in
            let connection = try HTTPConnection(address, timeoutSeconds: 120)
            defer { connection.close() }
            try connection.send(HTTPConnection.text("GET", path, headers: ["Accept: text/event-stream"] + further))
            return try connection.readHead().headers
        }
    }

    /// Leaves, as a browser that is closed; returns when nothing more is read.
    func disconnect() async throws {
        state.withLock { $0.connection }?.abort()
        try await eventually("the end of the reading thread") { !self.isConnected }
    }

    /// Waits for the reading to end by itself, after the host has gone.
    func waitForEnd() async throws {
        try await eventually("the end of the stream") { !self.isConnected }
    }

    func waitForMessages(_ count: Int) async throws -> [Message] {
        try await eventually("\(count) messages of \(path), \(messages.count) came") {
            let messages = self.messages
            return messages.count >= count ? messages : nil
        }
    }

    private func read(_ connection: HTTPConnection) {
        var rest: [UInt8] = []
        var fields: [(String, String)] = []
        while let chunk = try? connection.readChunk() {
            rest += chunk
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                take(line: String(decoding: rest[..<end], as: UTF8.self), &fields)
                rest.removeFirst(end + 1)
            }
        }
        connection.close()
        state.withLock { state in
            state.isReading = false
            state.connection = nil
        }
    }

    /// An empty line dispatches what came before it; a block without `data` still moves the last id.
    private func take(line: String, _ fields: inout [(String, String)]) {
        guard line.isEmpty else {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? (parts[1].hasPrefix(" ") ? parts[1].dropFirst() : parts[1]) : ""
            fields.append((String(parts[0]), String(value)))
            return
        }
        func last(_ name: String) -> String? { fields.last { $0.0 == name }?.1 }
        let data = fields.filter { $0.0 == "data" }.map(\.1)
        state.withLock { state in
            if let id = last("id") { state.lastID = id }
            guard !data.isEmpty else { return }
            state.messages.append(
                Message(id: state.lastID ?? "", name: last("event") ?? "message", data: data.joined(separator: "\n")))
        }
        fields = []
    }
}
