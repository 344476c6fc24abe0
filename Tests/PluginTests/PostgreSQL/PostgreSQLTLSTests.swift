import Foundation
import Martlet
import MartletTesting
import PostgreSQLPlugin
import TestSupport
import Testing

/// TLS to a server whose certificate was issued by an authority of the test's own.
@Suite(.timeLimit(.minutes(2)))
struct PostgreSQLTLSTests {
    private let server: PostgreSQLServer
    private let port: Int
    private let folder: TemporaryFolder

    /// Over TCP the server takes only TLS and a password.
    init() async throws {
        let port = try FreePort.take()
        self.port = port
        folder = try TemporaryFolder()
        server = try PostgreSQLServer(
            port: port, settings: ["listen_addresses = '127.0.0.1'", "ssl = on"],
            preparation: """
                cd "$folder"
                key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
                for name in ca other; do
                  openssl req -x509 $key -subj "/CN=Test authority $name" -keyout $name.key -out $name.crt
                done
                openssl req $key -subj /CN=localhost -keyout data/server.key -out server.csr
                echo subjectAltName=DNS:localhost >extension
                openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile extension -out data/server.crt
                chmod 600 data/server.key
                printf 'local all all trust\\nhostssl all all 127.0.0.1/32 scram-sha-256\\n' >data/pg_hba.conf
                chmod 755 "$folder"; chmod 644 *.crt
                cd /tmp
                """)
        try server.psql("postgres", "CREATE ROLE app LOGIN SUPERUSER PASSWORD 's3cret'")
        // Password files must be the user's own, and nobody else's to read.
        for (name, password) in [("pass", "s3cret"), ("wrong", "wr0ng")] {
            try "*:*:*:app:\(password)".write(toFile: folder.path + "/" + name, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.path + "/" + name)
        }
    }

    private func database(_ options: String, host: String = "localhost", passwords: String = "pass") throws -> PostgreSQLDatabase {
        let options = options.replacingOccurrences(of: "FOLDER", with: server.folder)
        let url = "postgres://app@\(host):\(port)/postgres?hostaddr=127.0.0.1&passfile=\(folder.path)/\(passwords)&\(options)"
        return try TestHost().make(PostgreSQLDatabase.self, #"{"url": "\#(url)"}"#, name: "main")
    }

    private func refusal(_ database: PostgreSQLDatabase) async -> ModuleError? {
        let error = await #expect(throws: ModuleError.self) { try await database.open() }
        await database.close()
        return error
    }

    @Test func aServerOfTheRightAuthorityIsTrusted() async throws {
        for options in ["sslmode=verify-full&sslrootcert=FOLDER/ca.crt", "sslmode=verify-ca&sslrootcert=FOLDER/ca.crt", "sslmode=require"] {
            let database = try database(options)
            try await database.open()
            let statement = try database.prepare("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            // The writer's connection, and a reader's.
            let written = try await database.transaction { try $0.execute(statement, []).rows }
            let read = try await database.query(statement, [], limit: 1).rows
            #expect(written == [[.bool(true), .text("TLSv1.3")]])
            #expect(read == written)
            await database.close()
        }
    }

    @Test(arguments: [
        ("sslmode=verify-full&sslrootcert=FOLDER/other.crt", "localhost", "certificate verify failed"),
        ("sslmode=verify-full&sslrootcert=FOLDER/ca.crt", "db.example.com", "does not match host name \"db.example.com\""),
        ("sslmode=verify-full&sslrootcert=FOLDER/missing.crt", "localhost", "root certificate file"),
        ("sslmode=disable", "localhost", "no encryption"),
        ("sslmode=sometimes", "localhost", "invalid sslmode value: \"sometimes\""),
    ])
    func whatIsNotTrustedIsTheOperators(_ options: String, _ host: String, _ text: String) async throws {
        let error = await refusal(try database(options, host: host))
        #expect(error?.kind == .blocked, "\(String(describing: error))")
        #expect(error?.code == "postgres.refused")
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("check user, password, database and TLS settings in `url`") == true)
    }

    @Test func aWrongPasswordIsNotRepeated() async throws {
        let error = await refusal(try database("sslmode=require", passwords: "wrong"))
        #expect(error?.kind == .blocked && error?.code == "postgres.refused")
        #expect(error?.message.contains("password authentication failed for user \"app\"") == true)
        #expect(error?.message.contains("wr0ng") == false)
    }

    @Test func aServerWithoutTLSIsRefusedWhenItIsRequired() async throws {
        try server.psql("postgres", "ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()")
        let required = try database("sslmode=require")
        let error = await refusal(required)
        #expect(error?.kind == .blocked)
        #expect(error?.message.contains("does not support SSL") == true, "\(error?.message ?? "")")
    }
}
