import ExecPlugin
import Foundation
import Martlet
import MartletTesting
import Pipelines
import TestSupport

/// A folder with a script, and modules that run it.
final class ExecHarness: Sendable {
    let folder: TemporaryFolder
    private let logged = Lines()

    /// What the processes wrote on standard error, and the host said about them.
    var log: [String] { logged.all }

    /// - Parameter script: Python; without it the plugin's examples are run.
    init(_ script: String? = nil) throws {
        folder = try TemporaryFolder()
        guard let script else { return }
        try (Self.prelude + script).write(toFile: folder.path + "/script.py", atomically: true, encoding: .utf8)
    }

    /// `hello`, `batches()`, `answer(batch, results)`, `note(text)` for the scripts.
    private static let prelude = """
        import json, os, sys, time
        hello = json.loads(sys.stdin.readline())
        def say(message): print(json.dumps(message), flush=True)
        def ready(*capabilities): say({"type": "ready", "protocol": 1, "capabilities": capabilities})
        def batches():
            for line in sys.stdin: yield json.loads(line)
        def answer(batch, results): say({"type": "results", "id": batch["id"], "results": results})
        def note(text):
            with open("notes", "a") as notes: notes.write(str(text) + "\\n")
        def lives():
            note("life")
            return open("notes").read().split().count("life")

        """

    /// What the script noted, in order.
    var notes: [String] {
        let text = try? String(contentsOfFile: folder.path + "/notes", encoding: .utf8)
        return text?.split(separator: "\n").map(String.init) ?? []
    }

    static let command = #""command": ["/usr/bin/python3", "script.py"]"#

    func make<Made: Module>(_ type: Made.Type, _ fields: String = "", command: String = ExecHarness.command) throws -> Made {
        let host = TestHost(baseDirectory: folder.path, payloads: SimdjsonPayloadReader(), log: logged.append)
        return try host.make(type, "{\(command)\(fields.isEmpty ? "" : ", ")\(fields)}")
    }

    /// A module that is open.
    func open(_ fields: String = "") async throws -> ExecSink {
        let sink = try make(ExecSink.self, fields)
        try await sink.open()
        return sink
    }

    static func records(_ range: Range<Int>, partition: PartitionID = 0) -> [Record] {
        range.map { number in
            Record(
                topic: "likes", partition: partition, offset: Offset(number),
                event: Event(
                    id: Bytes("id-\(number)"), key: "ben", headers: [Header("trace", "t")], payload: Bytes(#"{"n": \#(number)}"#),
                    timestamp: 1_700_000_000_000))
        }
    }

    /// Writes until it succeeds, as a group does. Returns how often it failed, by code.
    static func persist(_ batch: [Record], _ sink: ExecSink) async throws -> [String] {
        var codes: [String] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            do {
                if case .handled = try await sink.write(batch) { return codes }
                codes.append("each")
            } catch let error as ModuleError where error.kind == .transient && ContinuousClock.now < deadline {
                if codes.last != error.code { codes.append(error.code) }
                // The pause between tries that a group makes.
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }
}
