import AuthPlugin
import BusPlugin
import ExecPlugin
import FilesPlugin
import FiltersPlugin
import Foundation
import Glibc
import HTTPPlugin
import JQPlugin
import MapPlugin
import Martlet
import MartletTesting
import Pipelines
import RedisPlugin
import SSEPlugin
import Synchronization
import TestSupport
import Testing

@testable import ConsolePlugin

/// The modules that ship, and the contracts of their kinds. Some have such a test beside their others; ``ContractCoverageTests``
/// has the list of all.
@Suite(.serialized) struct ShippedModulesTests {
    private static let payloads = SimdjsonPayloadReader()

    // MARK: Transforms

    @Test(arguments: [
        (#"{"program": "select(.n % 3 != 0) | .seen = $id"}"#, #"{"n": "x"}"#),
        (#"{"program": "range(.n % 4) as $i | {n: .n, i: $i}"}"#, #"{"n": "x"}"#),
        (#"{"program": "."}"#, "{"),
    ])
    func jqKeepsTheContract(json: String, badPayload: String) async throws {
        try await TransformContract.verify(payload: { #"{"n": \#($0)}"# }, badPayload: badPayload) {
            try TestHost(payloads: Self.payloads).make(JQTransform.self, json)
        }
    }

    @Test(arguments: [
        #"{"payload": {"number": "${/n}", "key": "${@key}"}}"#, #"{"key": "${/n}"}"#, #"{"headers": {"n": "${/n}"}}"#,
    ])
    func mapKeepsTheContract(json: String) async throws {
        try await TransformContract.verify(payload: { #"{"n": \#($0)}"# }, badPayload: "{}") {
            try TestHost(payloads: Self.payloads).make(MapTransform.self, json)
        }
    }

    @Test func filterKeepsTheContract() async throws {
        try await TransformContract.verify(payload: { #"{"kind": "\#($0 % 2 == 0 ? "even" : "odd")"}"# }) {
            try TestHost(payloads: Self.payloads).make(FilterTransform.self, #"{"all": [{"value": "${/kind}", "in": ["even"]}]}"#)
        }
    }

    @Test func dedupeKeepsTheContract() async throws {
        try await TransformContract.verify(payload: { #"{"n": \#($0)}"# }) {
            try TestHost(payloads: Self.payloads).make(DedupeTransform.self, "{}")
        }
    }

    @Test(arguments: ["hold", "drop"]) func throttleKeepsTheContract(policy: String) async throws {
        try await TransformContract.verify(payload: { #"{"user": "\#($0 % 3)"}"# }, badPayload: "{}") {
            try TestHost(payloads: Self.payloads).make(
                ThrottleTransform.self, #"{"rate_events": 1000, "interval_ms": 10, "key": "${/user}", "policy": "\#(policy)"}"#)
        }
    }

    @Test func execKeepsTheContract() async throws {
        let script = """
            ready("pipeline")
            def change(record):
                n = record["payload"].get("n")
                if n is None: return {"reject": "no n"}
                return ["keep", "drop", {"payload": {"n": -n}, "key": "other"}, [{"payload": 1}, {"payload": 2}]][n % 4]
            for batch in batches(): answer(batch, [change(record) for record in batch["records"]])
            """
        let harness = try ExecHarness(script)
        try await TransformContract.verify(payload: { #"{"n": \#($0)}"# }, badPayload: "{}", patience: .seconds(30)) {
            try harness.make(ExecTransform.self)
        }
    }

    // MARK: Verifiers of callers

    @Test func apiKeysKeepTheContract() async throws {
        @Sendable func request(_ key: String) -> FakeExchange { FakeExchange(headers: [("X-API-Key", key)]) }
        try await AuthenticatorContract.verify(
            callerID: "shop", good: { request("0123456789abcdef-shop") },
            bad: ["0123456789abcdef-sho", "shop", "0123456789abcdef-shop-2"].map { key in { request(key) } }
        ) {
            try TestHost().make(APIKeyAuthenticator.self, #"{"keys": [{"name": "shop", "key": "0123456789abcdef-shop"}]}"#)
        }
    }

    @Test func tokensKeepTheContract() async throws {
        let minted = try MintedTokens.shared.get()
        @Sendable func request(_ token: String) -> FakeExchange { FakeExchange(headers: [("Authorization", "Bearer \(token)")]) }
        let good = try #require(minted.tokens["hs256"])
        let bad = try ["other secret", "none", "expired", "early", "other audience"].map { try #require(minted.tokens[$0]) } + ["no.token"]
        let folder = try TemporaryFolder()
        try await AuthenticatorContract.verify(
            callerID: "bob", good: { request(good) }, bad: bad.map { token in { request(token) } },
            makeUnreachable: {
                try TestHost(baseDirectory: folder.path).make(
                    JWTAuthenticator.self, #"{"public_key": "missing.pem", "issuer": "https://id", "audience": "events"}"#)
            },
            make: {
                try TestHost().make(
                    JWTAuthenticator.self, #"{"secret": "\#(minted.secret)", "issuer": "https://id", "audience": "events"}"#)
            })
    }

    // MARK: Sources

    /// Each source follows a file of its own; who writes to a file hears nothing.
    @Test func fileSourceKeepsTheContract() async throws {
        let folders = Mutex<[TemporaryFolder]>([])
        try await SourceContract.verify(
            send: { _, number in
                let path = folders.withLock { $0.last?.path ?? "" } + "/a.log"
                let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
                let line = Array("{\"n\":\(number)}\n".utf8)
                #expect(line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == line.count)
                close(descriptor)
                return .none
            },
            number: { Int($0.payload.string.filter(\.isNumber)) },
            make: {
                let folder = try TemporaryFolder()
                folders.withLock { $0.append(folder) }
                let host = TestHost(baseDirectory: folder.path, dataDirectory: folder.path, payloads: Self.payloads)
                return try host.make(
                    FileSource.self, #"{"path": "\#(folder.path)/a.log", "poll_ms": 10}"#, name: "file",
                    reserved: ModuleKind.source.reservedKeys)
            })
    }

    @Test func httpSourceKeepsTheContract() async throws {
        try await SourceContract.verify(
            send: { source, number in
                guard let routes = (source as? any RouteProviding)?.routes else { return .none }
                let exchange = FakeExchange(
                    "POST", target: "/n", headers: [("Content-Type", "application/json")], body: Bytes(#"{"n": \#(number)}"#))
                routes[0].handle(exchange)
                return await exchange.response().status < 300 ? .accepted : .refused
            },
            number: { Int($0.payload.string.filter(\.isNumber)) },
            make: {
                try TestHost(payloads: Self.payloads).make(
                    HTTPSource.self, #"{"path": "/n"}"#, reserved: ModuleKind.source.reservedKeys)
            })
    }

    // MARK: Buses

    @Test func memoryBusKeepsTheContract() async throws {
        try await PubSubContract.verify(isShared: false) { try TestHost().make(MemoryBus.self, "{}") }
    }

    @Test func redisKeepsTheContract() async throws {
        let server = try RedisServer()
        try await PubSubContract.verify(
            makeUnreachable: { try TestHost().make(RedisPubSub.self, #"{"url": "redis://127.0.0.1:1", "connect_timeout_ms": 200}"#) },
            breakConnections: { try server.cli("CLIENT", "KILL", "TYPE", "pubsub") }
        ) { try TestHost().make(RedisPubSub.self, #"{"url": "\#(server.url)"}"#) }
    }

    // MARK: Channels

    @Test func sseKeepsTheContract() async throws {
        try await ChannelContract.verify(
            payload: { "\"record-\($0)\"" },
            attach: { channel in
                guard let loops = (channel as? SSEOnLoops)?.loops, let routes = (channel as? any RouteProviding)?.routes else { return { [] } }
                let exchange = FakeExchange("GET", target: "/stream")
                routes[0].handle(exchange)
                loops.run()
                return {
                    loops.run()
                    let lines = (exchange.stream?.text ?? "").split(separator: "\n").filter { $0.hasPrefix("data: ") }
                    return lines.map { String($0.dropFirst(7).dropLast()) }
                }
            },
            make: {
                let loops = ManualLoops(count: 1)
                let channel = try TestHost(payloads: Self.payloads, loops: loops).make(
                    SSEChannel.self, #"{"path": "/stream"}"#, reserved: ModuleKind.channel.reservedKeys)
                return SSEOnLoops(channel, loops)
            })
    }

    // MARK: Sinks

    @Test func consoleKeepsTheContract() async throws {
        let pipe = Pipe()
        let output = OutputReader(pipe.fileHandleForReading)
        try await SinkContract.verify(
            payload: { #"{"text": "number \#($0)"}"# }, badPayload: "{}", isOrdered: true,
            make: {
                let config = try ConsoleSinkConfig(json: ##"{"template": "${@id} ${/text}"}"##)
                return try #require(
                    ConsoleSink(
                        config: config, context: TestHost(payloads: Self.payloads).context(named: "console"),
                        descriptor: pipe.fileHandleForWriting.fileDescriptor))
            },
            written: { output.lines().compactMap { $0.split(separator: " ").first.map(String.init) } })
        try pipe.fileHandleForWriting.close()
    }

    @Test func pubSubSinkKeepsTheContract() async throws {
        let bus = try TestHost().make(MemoryBus.self, "{}")
        let written = Lines()
        let subscription = try await bus.subscribe(to: "out") { delivery in
            if case .messages(let messages) = delivery { messages.forEach { written.append($0.record.event.id.string) } }
        }
        try await SinkContract.verify(
            payload: { "\($0)" }, isOrdered: true,
            make: { try TestHost(pubSubs: ["bus": bus]).make(PubSubSink.self, #"{"pubsub": "bus", "channel": "out"}"#) },
            written: { written.all })
        subscription.cancel()
    }

    // MARK: Logs

    @Test func embeddedLogKeepsTheContract() async throws {
        let folder = try TemporaryFolder()
        try await LogContract.verify { store in try LogContractTests.embedded("\(folder.path)/\(store)") }
    }
}
