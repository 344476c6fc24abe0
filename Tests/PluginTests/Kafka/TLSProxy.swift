import Foundation
import Glibc
import TestSupport

/// Speaks TLS in front of a port on loopback, with a certificate of its own authority.
final class TLSProxy {
    let port: Int
    private let folder: TemporaryFolder
    private let process: Process

    /// The authority's PEM file, and one of another authority.
    var authority: String { folder["ca.pem"] }
    var otherAuthority: String { folder["other.pem"] }

    private static let script = """
        import socket, ssl, subprocess, sys, threading
        folder, port, target = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
        def openssl(*words): subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=ca")
        openssl("req", "-x509", *key, "-keyout", "other.key", "-out", "other.pem", "-days", "2", "-subj", "/CN=other")
        openssl("req", *key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost")
        open(folder + "/names", "w").write("subjectAltName=DNS:localhost,IP:127.0.0.1")
        openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", "names", "-out", "cert.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
        listener = socket.create_server(("127.0.0.1", port))
        print("ready", flush=True)
        def copy(source, sink):
            try:
                while data := source.recv(65536): sink.sendall(data)
            except OSError: pass
            finally:
                for end in (source, sink):
                    try: end.shutdown(socket.SHUT_RDWR)
                    except OSError: pass
        def serve(client):
            try: outside = context.wrap_socket(client, server_side=True)
            except OSError: return
            inside = socket.create_connection(("127.0.0.1", target))
            threading.Thread(target=copy, args=(outside, inside), daemon=True).start()
            copy(inside, outside)
        while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """

    /// - Parameter port: where it listens.
    init(port: Int, to target: Int) throws {
        self.port = port
        folder = try TemporaryFolder()
        process = Python.process(Self.script, [folder.path, "\(port)", "\(target)"])
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        guard String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).contains("ready") else {
            throw TestFailure("the TLS proxy did not start")
        }
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
