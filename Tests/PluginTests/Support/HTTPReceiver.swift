import Foundation
import TestSupport

/// An HTTP server in Python that answers each request with the status that its path ends with (`/…/404`), or 200, and keeps what it got.
final class HTTPReceiver: Sendable {
    let port: Int
    private let process: Process
    private let file: String
    private let folder: TemporaryFolder

    private static let script = """
        import http.server, json, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                seen.append(self.path)
                with open(sys.argv[1], "a") as log:
                    log.write(json.dumps({"method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body.decode()}) + "\\n")
                last = self.path.rsplit("/", 1)[-1]
                status = int(last) if last.isdigit() else 200
                # "once-503" answers 503 the first time.
                if last.startswith("once-") and seen.count(self.path) == 1: status = int(last[5:])
                self.send_response(status)
                if status == 429: self.send_header("Retry-After", "7")
                self.send_header("Content-Length", "0")
                self.end_headers()
            do_POST = do_PUT = do_DELETE = do_PATCH = answer
            def log_message(self, *_): pass
        seen = []
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_port, flush=True)
        server.serve_forever()
        """

    init() throws {
        folder = try TemporaryFolder()
        file = folder.path + "/requests"
        process = Python.process(Self.script, [file])
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .newlines)) else { throw TestFailure("no port: \(line)") }
        self.port = port
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    var url: String { "http://127.0.0.1:\(port)" }

    struct Request {
        let method: String
        let path: String
        let headers: [String: String]
        let body: String
    }

    /// What came, in order.
    var requests: [Request] {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { return nil }
            return Request(
                method: object["method"] as? String ?? "", path: object["path"] as? String ?? "",
                headers: object["headers"] as? [String: String] ?? [:], body: object["body"] as? String ?? "")
        }
    }
}
