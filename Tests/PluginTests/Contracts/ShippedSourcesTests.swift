import ExecPlugin
import Foundation
import Glibc
import Martlet
import MartletTesting
import OutboxPlugin
import Pipelines
import RedisPlugin
import SQLitePlugin
import Synchronization
import TestSupport
import Testing

@testable import SchedulePlugin

/// The sources that ship, beside those of files and HTTP in ``ShippedModulesTests``, and the contract of sources. Each promise
/// is verified with a source of its own, on an outside of its own.
@Suite(.serialized) struct ShippedSourcesTests {
    private static let payloads = SimdjsonPayloadReader()

    /// The number in `{"n": 7}`.
    private static let number: @Sendable (SourceInput) -> Int? = { Int($0.payload.string.filter(\.isNumber)) }

    // MARK: exec

    /// Takes numbers from a named pipe, and notes what the host answered.
    private static let doorkeeper = """
        import selectors
        os.mkfifo("door")
        door = os.open("door", os.O_RDWR)
        chooser = selectors.DefaultSelector()
        chooser.register(door, selectors.EVENT_READ)
        chooser.register(0, selectors.EVENT_READ)
        rest = {door: b"", 0: b""}
        ready()
        while True:
            for key, _ in chooser.select():
                data = os.read(key.fd, 65536)
                if not data: sys.exit()
                *lines, rest[key.fd] = (rest[key.fd] + data).split(b"\\n")
                for line in lines:
                    if key.fd == door: say({"type": "events", "id": int(line), "events": [{"payload": {"n": int(line)}}]})
                    else:
                        message = json.loads(line)
                        note(f"{message['id']}:{'ok' if message['results'] == ['ok'] else 'no'}")
        """

    @Test func execKeepsTheContract() async throws {
        let harnesses = Mutex<[ExecHarness]>([])
        try await SourceContract.verify(
            send: { _, number in
                guard let harness = harnesses.withLock({ $0.last }) else { return .refused }
                let door = open(harness.folder.path + "/door", O_WRONLY | O_NONBLOCK)
                guard door >= 0 else { return .refused }
                let line = Array("\(number)\n".utf8)
                #expect(line.withUnsafeBytes { write(door, $0.baseAddress, $0.count) } == line.count)
                close(door)
                while !Task.isCancelled {
                    if harness.notes.contains("\(number):ok") { return .accepted }
                    if harness.notes.contains("\(number):no") { return .refused }
                    try await Task.sleep(for: .milliseconds(1))
                }
                return .refused
            },
            number: Self.number,
            makeUnreachable: { try ExecHarness("").make(ExecSource.self, command: #""command": ["./missing"]"#) },
            patience: .seconds(30),
            make: {
                let harness = try ExecHarness(Self.doorkeeper)
                harnesses.withLock { $0.append(harness) }
                return try harness.make(ExecSource.self)
            })
    }

    // MARK: schedule

    /// Time goes on when somebody sends: each number is a second.
    @Test func scheduleKeepsTheContract() async throws {
        let start = 1_700_000_000
        let moments = Mutex<[Moment]>([])
        try await SourceContract.verify(
            send: { _, number in
                moments.withLock { $0.last }?.advance(to: start + 1 + number)
                return .none
            },
            number: { input in
                let timestamp = input.payload.string.split(separator: ":").last?.dropLast(4) ?? ""
                return Int(timestamp).map { $0 - start - 1 }
            },
            make: {
                let folder = try TemporaryFolder()
                try FileManager.default.createDirectory(atPath: folder.path + "/sources", withIntermediateDirectories: true)
                try String(start).write(toFile: folder.path + "/sources/seconds.tick", atomically: true, encoding: .utf8)
                let moment = Moment(start, folder)
                moments.withLock { $0.append(moment) }
                let config = try ScheduleSource.Config(json: #"{"every_seconds": 1, "missed": "all"}"#)
                let source = ScheduleSource(
                    config: config, context: TestHost(dataDirectory: folder.path).context(named: "seconds"), now: { moment.milliseconds },
                    lookInterval: .milliseconds(1))
                return try #require(source)
            })
    }

    /// A clock that a test puts forward, and the folder of the source that goes by it.
    private final class Moment: Sendable {
        private let seconds: Mutex<Int>
        private let folder: TemporaryFolder

        init(_ seconds: Int, _ folder: TemporaryFolder) {
            self.seconds = Mutex(seconds)
            self.folder = folder
        }

        var milliseconds: Int64 { seconds.withLock { Int64($0) * 1000 } }

        func advance(to moment: Int) {
            seconds.withLock { $0 = max($0, moment) }
        }
    }

    // MARK: redis

    @Test(arguments: ["stream", "channel"]) func redisKeepsTheContract(kind: String) async throws {
        let server = try RedisServer()
        let count = Mutex(0)
        let heard = Mutex<Set<String>>([])
        try await SourceContract.verify(
            send: { _, number in
                let name = "in-\(count.withLock { $0 })"
                let payload = #"{"n":\#(number)}"#
                if kind == "stream" {
                    try server.cli("XADD", name, "*", "payload", payload)
                    return .none
                }
                // A channel is heard only by those who listen already; after `close` nobody does any more.
                while true {
                    let wasHeard = heard.withLock { $0.contains(name) }
                    if try server.cli("PUBLISH", name, payload) != "0" { break }
                    if wasHeard || Task.isCancelled { return .refused }
                    try await Task.sleep(for: .milliseconds(5))
                }
                heard.withLock { _ = $0.insert(name) }
                return .none
            },
            number: Self.number,
            makeUnreachable: {
                try TestHost(payloads: Self.payloads).make(
                    RedisSource.self, #"{"url": "redis://127.0.0.1:\#(try FreePort.take())", "\#(kind)": "in"}"#)
            },
            patience: .seconds(30),
            make: {
                let name = count.withLock { count in
                    count += 1
                    return "in-\(count)"
                }
                let field = kind == "stream" ? #", "payload_field": "payload""# : ""
                return try TestHost(payloads: Self.payloads).make(
                    RedisSource.self, #"{"url": "\#(server.url)", "\#(kind)": "\#(name)"\#(field)}"#)
            })
    }

    // MARK: outbox

    @Test(arguments: Backend.allCases) func outboxKeepsTheContract(backend: Backend) async throws {
        let folder = try TemporaryFolder()
        let databases = Mutex<[any Database]>([])
        try await SourceContract.verify(
            send: { _, number in
                guard let database = databases.withLock({ $0.last }) else { return .refused }
                let insert = try database.prepare("INSERT INTO outbox (id, payload) VALUES (:id, :payload)")
                try await database.transaction { connection in
                    _ = try connection.execute(insert, [.integer(Int64(number) + 1), .text(#"{"n":\#(number)}"#)])
                }
                return .none
            },
            number: Self.number, patience: .seconds(30),
            make: {
                let schema = "CREATE TABLE outbox (id BIGINT PRIMARY KEY, payload TEXT NOT NULL)"
                let database: any Database
                switch backend {
                case .sqlite:
                    let name = databases.withLock { "outbox-\($0.count).db" }
                    database = try TestHost(baseDirectory: folder.path).make(
                        SQLiteDatabase.self, #"{"path": "\#(name)", "schema": [{"id": "1", "sql": "\#(schema)"}]}"#)
                case .postgres: database = try PostgreSQLServer.shared.get().makeDatabase(schema: schema)
                }
                try await database.open()
                databases.withLock { $0.append(database) }
                return try TestHost(payloads: Self.payloads, databases: ["main": database]).make(
                    OutboxSource.self, #"{"database": "main", "table": "outbox", "payload_column": "payload", "poll_ms": 10}"#)
            })
        for database in databases.withLock({ $0 }) { await database.close() }
    }
}
