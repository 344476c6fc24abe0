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

    /// What came of a test.
    struct Outcome: Sendable {
        let name: String
        /// A line each, without the test's name; empty if the test passed.
        let failures: [String]
        let duration: Duration
    }

    /// - Parameter previous: the host of the test before, replaced by this one's: modules share what is expensive to make,
    ///   such as compiled programs, with those of the same config that are still there.
    /// - Throws: ``ConfigError`` if the config has problems.
    func run(after previous: inout Host?) async throws -> Outcome {
        let started = ContinuousClock.now
        let folder = try FileTree.temporaryFolder(inMemory: true)
        defer { try? FileTree.remove(folder) }
        let recorder = ConfigTestRecorder()
        let http = RecordingHTTP()
        let host = try makeHost(folder, recorder, http)
        previous = host
        var failures: [String] = []
        do {
            try await host.start { _ in [] }
            let deadline = ContinuousClock.now + .milliseconds(test.withinMilliseconds)
            try await TestedHost(host).untilReady(deadline)
            let steps = ConfigTestSteps(host: host, client: client, recorder: recorder)
            for (number, step) in test.given.enumerated() {
                let problems = try await steps.take(step)
                failures += problems.map { "step \(number + 1): \($0)" }
                try await TestedHost(host).untilSettled(ContinuousClock.now + .milliseconds(test.withinMilliseconds))
            }
            try await steps.untilStreamsHaveAll()
            let check = ConfigTestCheck(expect: test.expect, host: host, recorder: recorder, http: http)
            failures += try await check.failures(within: .milliseconds(test.withinMilliseconds))
        } catch let error as ConfigTestFailure {
            failures.append(error.description)
        }
        for stream in recorder.streams.values { stream.close() }
        await host.stop()
        return Outcome(name: test.name, failures: failures, duration: .now - started)
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
            configPath: configPath, overrides: file.set + overrides, registry: try StandardModules.registry(), surroundings: surroundings,
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
