import Foundation
import Glibc
import TestSupport
import Testing

/// nginx with a certificate for localhost, valid or expired, signed by an authority of its own: it speaks HTTP/2 and
/// HTTP/1.1 and answers 204.
final class TLSServer {
    /// A request as the access log has it.
    struct Request {
        /// `HTTP/2.0` or `HTTP/1.1`.
        let version: String
        let webhookID: String
        /// Which connection it came on.
        let connection: String
    }

    let port: Int
    /// The authority's PEM file.
    let authority: String
    private let folder: TemporaryFolder
    private let process = Process()

    init(isExpired: Bool, readsRequests: Bool = true) async throws {
        folder = try TemporaryFolder()
        authority = folder.path + "/ca.pem"
        port = ScriptedServer.freePort()

        // `openssl ca` takes dates of the past, which `openssl x509` of this version does not.
        let script = """
            set -e
            cd "\(folder.path)"
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out request.pem -subj /CN=localhost
            printf 'subjectAltName=DNS:localhost\\n' >extensions
            mkdir -p new && touch index.txt && echo 01 >serial
            printf '[ca]\\ndefault_ca=d\\n[d]\\ndir=.\\ndatabase=index.txt\\nserial=serial\\nnew_certs_dir=new\\ndefault_md=sha256\\npolicy=p\\n[p]\\ncommonName=supplied\\n' >ca.conf
            openssl ca -batch -config ca.conf -cert ca.pem -keyfile ca.key -in request.pem -out cert.pem -extfile extensions \
              \(isExpired ? "-startdate 20200101000000Z -enddate 20200201000000Z" : "-days 2") -notext
            """

        let made = try Program.run("/bin/sh", ["-c", script])
        try #require(made.code == 0, "openssl could not make certificates: \(made.output)")
        try Self.config(port, folder.path, readsRequests: readsRequests).write(toFile: folder.path + "/nginx.conf", atomically: true, encoding: .utf8)
        process.executableURL = URL(fileURLWithPath: "/usr/sbin/nginx")
        process.arguments = ["-c", folder.path + "/nginx.conf", "-p", folder.path, "-e", folder.path + "/errors.log"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let pid = folder.path + "/nginx.pid"
        await waitUntil { FileManager.default.fileExists(atPath: pid) }
    }

    /// One process, which writes its id once it listens.
    private static func config(_ port: Int, _ folder: String, readsRequests: Bool) -> String {
        """
        daemon off;
        master_process off;
        pid \(folder)/nginx.pid;
        events { worker_connections 512; }
        http {
          log_format requests '$server_protocol $http_webhook_id $connection';
          access_log \(folder)/requests.log requests;
          client_body_temp_path \(folder)/body;
          proxy_temp_path \(folder)/proxy;
          fastcgi_temp_path \(folder)/fastcgi;
          uwsgi_temp_path \(folder)/uwsgi;
          scgi_temp_path \(folder)/scgi;
          server {
            listen 127.0.0.1:\(port) ssl http2;
            ssl_certificate \(folder)/cert.pem;
            ssl_certificate_key \(folder)/key.pem;
            location / { \(readsRequests ? "proxy_pass http://unix:\(folder)/inner.socket:/" : "return 204"); }
          }
          server {
            listen unix:\(folder)/inner.socket;
            access_log off;
            location / { return 204; }
          }
        }
        """
    }

    var requests: [Request] {
        let text = (try? String(contentsOfFile: folder.path + "/requests.log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            return words.count == 3 ? Request(version: words[0], webhookID: words[1], connection: words[2]) : nil
        }
    }

    func close() {
        // Threads of the tests block SIGTERM, and their children inherit that.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
