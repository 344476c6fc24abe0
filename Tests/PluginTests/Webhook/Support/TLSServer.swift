import Foundation
import Glibc
import Testing

/// `openssl s_server` with a certificate for localhost, valid or expired, signed by an authority of its own.
final class TLSServer {
    let port: Int
    /// The authority's PEM file.
    let authority: String
    private let folder: TemporaryFolder
    private let process = Process()

    init(isExpired: Bool) throws {
        folder = try TemporaryFolder()
        authority = folder.path + "/ca.pem"

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

        let making = Process()
        making.executableURL = URL(fileURLWithPath: "/bin/sh")
        making.arguments = ["-c", script]
        making.standardOutput = FileHandle.nullDevice
        making.standardError = FileHandle.nullDevice
        try making.run()
        making.waitUntilExit()
        try #require(making.terminationStatus == 0, "openssl could not make certificates")
        port = WebhookReceiver.freePort()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = ["s_server", "-accept", "\(port)", "-cert", folder.path + "/cert.pem", "-key", folder.path + "/key.pem", "-www"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let deadline = Date() + 10
        while !WebhookReceiver.isListening(port), Date() < deadline { usleep(10_000) }
    }

    func close() {
        // Threads of the tests block SIGTERM, and their children inherit that.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

extension WebhookReceiver {
    /// A port that nobody uses at the moment.
    static func freePort() -> Int {
        let receiver = WebhookReceiver()
        receiver.close()
        return receiver.port
    }

    static func isListening(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
