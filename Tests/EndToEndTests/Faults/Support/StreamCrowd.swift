import Foundation
import Glibc
import TestSupport

/// Very many clients of event streams on one thread, each of which resumes by its own last id.
final class StreamCrowd: @unchecked Sendable {
    // Unchecked: one thread at a time calls it, and the test waits for each call.
    private final class Client {
        let user: String
        var descriptor: Int32 = -1
        var lastID: String?
        var texts: [String] = []
        /// Anything else than messages and ids, such as a gap.
        var surprises: [String] = []
        var received: [UInt8] = []
        var hasHead = false
        /// The stream without its chunks' frames, up to the last whole line.
        var text = ""

        init(user: String) { self.user = user }
    }

    private let clients: [Client]

    /// - Parameter users: a client for each, so a user may stand there more than once.
    init(users: [String]) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        clients = users.map { Client(user: $0) }
    }

    deinit {
        for client in clients where client.descriptor >= 0 { close(client.descriptor) }
    }

    /// What each client has received, with its user, in order.
    var received: [(user: String, texts: [String])] { clients.map { ($0.user, $0.texts) } }
    var surprises: [String] { clients.flatMap(\.surprises) }

    /// Connects all clients that are not connected, each with its last id.
    func connect(to address: String) async throws {
        try await onThread { [self] in
            for client in clients where client.descriptor < 0 { try connect(client, address) }
        }
    }

    /// Reads until each client has an id to resume by.
    func waitForIDs() async throws { try await read("ids to resume by") { $0.lastID != nil } }

    /// Reads until the host has ended every stream.
    func waitForEnds() async throws { try await read("the ends of the streams") { $0.descriptor < 0 } }

    /// Reads until each client has so many messages.
    func wait(for count: Int) async throws { try await read("\(count) messages each") { $0.texts.count >= count } }

    private func read(_ what: String, until isDone: @escaping @Sendable (Client) -> Bool) async throws {
        try await onThread { [self] in
            let deadline = ContinuousClock.now + .seconds(60)
            while !clients.allSatisfy(isDone) {
                guard ContinuousClock.now < deadline else {
                    throw TestFailure("not within 60 s: \(what), which \(clients.count { !isDone($0) }) of \(clients.count) lack")
                }
                readOnce()
            }
        }
    }

    private func connect(_ client: Client, _ address: String) throws {
        let parts = address.split(separator: ":")
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = (UInt16(parts[1]) ?? 0).bigEndian
        inet_pton(AF_INET, String(parts[0]), &name.sin_addr)
        client.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let isConnected = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(client.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw TestFailure("client of \(client.user): cannot connect: \(String(cString: strerror(errno)))") }
        let headers = ["Accept: text/event-stream"] + (client.lastID.map { ["Last-Event-ID: \($0)"] } ?? [])
        let request = Array(HTTPConnection.text("GET", HostProcess.streamPath(of: client.user), headers: headers).utf8)
        guard send(client.descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw TestFailure("client of \(client.user): cannot send")
        }
    }

    private func readOnce() {
        let open = clients.filter { $0.descriptor >= 0 }
        var entries = open.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard poll(&entries, nfds_t(entries.count), 20) > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        for (entry, client) in zip(entries, open) where entry.revents != 0 {
            let count = recv(client.descriptor, &buffer, buffer.count, 0)
            guard count > 0 else {
                end(client)
                continue
            }
            client.received += buffer[..<count]
            take(client)
        }
    }

    /// What came without its end is lost, as for any client; it comes again after the last id.
    private func end(_ client: Client) {
        close(client.descriptor)
        client.descriptor = -1
        client.received = []
        client.text = ""
        client.hasHead = false
    }

    private func take(_ client: Client) {
        if !client.hasHead {
            guard let end = client.received.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
            let head = String(decoding: client.received[..<end.lowerBound], as: UTF8.self)
            if !head.hasPrefix("HTTP/1.1 200") { client.surprises.append(head) }
            client.received.removeSubrange(..<end.upperBound)
            client.hasHead = true
        }
        // Chunks: a size, its bytes, a line end.
        while let line = client.received.firstRange(of: [13, 10]),
            let size = Int(String(decoding: client.received[..<line.lowerBound], as: UTF8.self), radix: 16),
            client.received.count >= line.upperBound + size + 2
        {
            client.text += String(decoding: client.received[line.upperBound..<line.upperBound + size], as: UTF8.self)
            client.received.removeSubrange(..<(line.upperBound + size + 2))
        }
        while let end = client.text.range(of: "\n\n") {
            takeEvent(client, client.text[..<end.lowerBound])
            client.text.removeSubrange(..<end.upperBound)
        }
    }

    private func takeEvent(_ client: Client, _ event: Substring) {
        for line in event.split(separator: "\n") {
            if line.hasPrefix("id: ") {
                client.lastID = String(line.dropFirst(4))
            } else if line.hasPrefix("data: ") {
                let object = try? JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8)) as? [String: Any]
                client.texts.append(object?["text"] as? String ?? String(line))
            } else if line.hasPrefix("event: ") {
                client.surprises.append(String(line))
            }
        }
    }
}
