import ExecPlugin
import Foundation
import Glibc
import Martlet
import MartletTesting
import Testing

/// Processes, descriptors and times.
@Suite struct ExecLifeTests {
    private static let answering = """
        ready()
        for batch in batches(): answer(batch, "ok")
        """

    private func descriptors() -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    }

    @Test func nothingIsLeftBehind() async throws {
        let harness = try ExecHarness(
            """
            import subprocess
            note(os.getpid())
            note(subprocess.Popen(["sleep", "600"]).pid)
            """ + "\n" + Self.answering)
        let before = descriptors()
        for _ in 0..<5 {
            let sink = try await harness.open()
            guard case .handled = try await sink.write(ExecHarness.records(0..<3)) else { return #expect(Bool(false)) }
            await sink.close()
            await sink.close()
        }
        #expect(descriptors() == before)
        #expect(harness.notes.count == 10)
        // Neither the processes nor what they started are there; a zombie would be.
        for pid in harness.notes.compactMap({ pid_t($0) }) {
            await waitUntil { kill(pid, 0) != 0 || Self.isOrphanedZombie(pid) }
        }
    }

    /// A grandchild is reaped by whoever is process 1 here, not by us.
    private static func isOrphanedZombie(_ pid: pid_t) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        let fields = status.drop { $0 != ")" }.split(separator: " ")
        return fields.count > 2 && fields[1] == "Z" && fields[2] != "\(getpid())"
    }

    @Test func theProcessInheritsNoDescriptor() async throws {
        let harness = try ExecHarness("note(sorted(map(int, os.listdir('/proc/self/fd'))))\n" + Self.answering)
        let open = FileHandle(forReadingAtPath: "/dev/zero")
        let sink = try await harness.open()
        await sink.close()
        // 3 is the folder that it lists.
        #expect(harness.notes == ["[0, 1, 2, 3]"])
        try open?.close()
    }

    @Test func theProcessSeesFewVariables() async throws {
        setenv("MARTLET_TEST_SECRET", "hidden", 1)
        defer { unsetenv("MARTLET_TEST_SECRET") }
        let harness = try ExecHarness(
            """
            allowed = {"PATH", "HOME", "USER", "TMPDIR", "TZ", "LANG"}
            note(sorted(k + "=" + v for k, v in os.environ.items() if k not in allowed and not k.startswith("LC_")))
            note(hello["options"])
            note(hello["kind"] + " " + hello["name"])
            """ + "\n" + Self.answering)
        let sink = try await harness.open(#""environment": {"CHAT": "a b"}, "options": {"room": "ops", "deep": [1, {}]}"#)
        await sink.close()
        #expect(harness.notes == ["['CHAT=a b']", "{'room': 'ops', 'deep': [1, {}]}", "sink test"])
    }

    @Test func aProcessThatDoesNotStopIsKilled() async throws {
        let harness = try ExecHarness(
            """
            import signal
            signal.signal(signal.SIGTERM, lambda *_: note("SIGTERM"))
            ready()
            for batch in batches(): answer(batch, "ok")
            note("end of input")
            while True: time.sleep(1)
            """)
        let sink = try await harness.open(#""stop_timeout_ms": 200"#)
        await sink.close()
        #expect(harness.notes == ["end of input", "SIGTERM"])
        #expect(harness.log.contains { $0.contains("after SIGTERM; killing it") })
    }

    @Test func slowAnswersArriveAndPartitionsWaitForEachOther() async throws {
        let harness = try ExecHarness(
            """
            ready()
            for batch in batches():
                note(f"begin {batch['records'][0]['partition']}")
                time.sleep(0.05)
                note(f"end {batch['records'][0]['partition']}")
                answer(batch, "ok")
            """)
        let sink = try await harness.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for partition in 0..<5 {
                group.addTask { _ = try await sink.write(ExecHarness.records(0..<1, partition: PartitionID(partition))) }
            }
            try await group.waitForAll()
        }
        await sink.close()
        let notes = harness.notes
        #expect(notes.count == 10)
        for pair in stride(from: 0, to: 10, by: 2) {
            #expect(notes[pair].replacingOccurrences(of: "begin", with: "end") == notes[pair + 1])
        }
    }

    @Test func aPipeliningProcessGetsSeveralBatches() async throws {
        let harness = try ExecHarness(
            """
            ready("pipeline", "something new")
            held = []
            for batch in batches():
                held.append(batch)
                if len(held) == 4:
                    for one in reversed(held): answer(one, [{"reject": str(one["records"][0]["partition"])}])
            """)
        let sink = try await harness.open()
        let reasons = try await withThrowingTaskGroup(of: [Int: String].self) { group in
            for partition in 0..<4 {
                group.addTask {
                    let result = try await sink.write(ExecHarness.records(0..<1, partition: PartitionID(partition)))
                    guard case .each(let errors) = result else { return [:] }
                    return [partition: errors[0]?.message ?? ""]
                }
            }
            return try await group.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        }
        await sink.close()
        #expect(reasons == [0: "0", 1: "1", 2: "2", 3: "3"])
    }

    @Test func aCancelledWriteReturnsAtOnce() async throws {
        let harness = try ExecHarness(
            """
            ready()
            for batch in batches():
                note("got it")
                time.sleep(60)
            """)
        let sink = try await harness.open(#""stop_timeout_ms": 50"#)
        let task = Task { try await sink.write(ExecHarness.records(0..<1)) }
        await waitUntil { harness.notes == ["got it"] }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        await sink.close()
    }

    @Test func standardErrorGoesToTheLogBounded() async throws {
        let harness = try ExecHarness(
            """
            sys.stderr.write("one\\n" + "y" * 10000 + "\\n")
            for number in range(300): sys.stderr.write(f"line {number}\\n")
            sys.stderr.flush()
            """ + "\n" + Self.answering)
        let sink = try await harness.open()
        await waitUntil { harness.log.contains { $0.contains("line 97 ") } }
        await sink.close()
        #expect(harness.log.contains { $0.contains("INFO one ") || $0.contains("info one ") })
        #expect(harness.log.contains { $0.contains("yyyy…") && $0.utf8.count < 4300 })
        #expect(harness.log.contains { $0.contains("dropped 202 lines") })
        #expect(!harness.log.contains { $0.contains("line 200") })
    }

    @Test func aWriteBeforeOpenAndAfterCloseFailsTransiently() async throws {
        let harness = try ExecHarness(Self.answering)
        let sink = try harness.make(ExecSink.self)
        await sink.close()
        let early = await #expect(throws: ModuleError.self) { _ = try await sink.write(ExecHarness.records(0..<1)) }
        try await sink.open()
        await sink.close()
        let late = await #expect(throws: ModuleError.self) { _ = try await sink.write(ExecHarness.records(0..<1)) }
        #expect([early?.code, late?.code] == ["exec.closed", "exec.closed"])
    }
}
