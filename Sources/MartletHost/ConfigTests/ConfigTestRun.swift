import HTTPServer
import Martlet
import MartletTesting
import Pipelines

/// Runs one config test: a real host of the config, with its modules' surroundings replaced, in a folder of its own.
struct ConfigTestRun {
    let test: ConfigTest
    let file: ConfigTestFile
    /// The config under test, as the process can open it.
    let configPath: String
    let client: HTTPClient
    let modules: ModuleRegistry

    /// What came of a test.
    struct Outcome: Sendable {
        let name: String
        /// A line each, without the test's name; empty if the test passed.
        let failures: [String]
        let duration: Duration
    }

    /// - Parameter previous: the host of the test before, replaced by this one's: modules share what is expensive to make,
    ///   such as compiled programs, with those of the same config that are still there.
    /// - Returns: the outcome, and what ends the host and removes its folder, to be called once.
    /// - Throws: ``ConfigError`` if the config has problems.
    func run(after previous: inout Host?) async throws -> (Outcome, end: @Sendable () async -> Void) {
        let started = ContinuousClock.now
        let folder = try FileTree.temporaryFolder(inMemory: true)
        let recorder = ConfigTestRecorder()
        let http = RecordingHTTP()
        do {
            let host = try makeHost(folder, recorder, http)
            previous = host
            let failures = try await failures(of: host, recorder, http)
            let outcome = Outcome(name: test.name, failures: failures, duration: .now - started)
            return (
                outcome,
                {
                    for stream in recorder.streams.values { stream.close() }
                    await host.stop()
                    try? FileTree.remove(folder)
                }
            )
        } catch {
            try? FileTree.remove(folder)
            throw error
        }
    }

    private func failures(of host: Host, _ recorder: ConfigTestRecorder, _ http: RecordingHTTP) async throws -> [String] {
        let limit = Duration.milliseconds(test.withinMilliseconds)
        var failures: [String] = []
        do {
            try await host.start { _ in [] }
            try await TestedHost(host).untilReady(.now + limit)
            let steps = ConfigTestSteps(host: host, client: client, recorder: recorder)
            for (number, step) in test.given.enumerated() {
                let problems = try await steps.take(step)
                failures += problems.map { "step \(number + 1): \($0)" }
                try await TestedHost(host).untilSettled(.now + limit)
            }
            await steps.untilStreamsHaveAll()
            let check = ConfigTestCheck(expect: test.expect, host: host, recorder: recorder, http: http)
            return try await failures + check.failures(within: limit)
        } catch let error as ConfigTestFailure {
            return failures + [error.description]
        }
    }

    private static let journalBytes = 8 << 20

    private func makeHost(_ folder: String, _ recorder: ConfigTestRecorder, _ http: RecordingHTTP) throws -> Host {
        var surroundings = HostSurroundings()
        let variables = Dictionary(file.environment.map { ($0.key, $0.value) }) { _, last in last }
        surroundings.environment = { name in variables[name] ?? ConfigSource.processEnvironment(name) }
        surroundings.http = http
        surroundings.journalBytes = Self.journalBytes
        let standIns = StandIns(folder: folder, recorder: recorder, run: Set(file.run.map(\.plain)))
        surroundings.modules = { standIns.registry($0) }
        // The log in a folder of its own, ports that the system chooses; the journal need not survive anything.
        let overrides = [
            "host.listen=127.0.0.1:0", "host.admin_listen=127.0.0.1:0", "host.event_loops=1", "host.shutdown_grace_seconds=0",
            "host.data_directory=\(folder)/data", #"log={"type": "embedded", "acknowledge": "written", "min_free_bytes": 0}"#,
        ]
        let (host, problems) = Host.make(
            configPath: configPath, overrides: file.set + overrides, registry: modules, surroundings: surroundings,
            logger: Logger(output: LogOutput(minimum: .error, format: .text) { _ in }))
        try problems.throwIfAny()
        guard let host else { throw ConfigTestFailure("the config \(configPath) makes no host") }
        return host
    }
}

/// Why a test cannot go on.
struct ConfigTestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
