import ExecPlugin
import Foundation
import Martlet
import MartletTesting
import TestSupport
import Testing

@Suite struct ExecSourceTests {
    @Test func theExampleSendsTheLoad() async throws {
        let harness = try ExecHarness()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../Plugins/Exec/examples/load.sh").standardized.path
        let intake = RecordingIntake { number, input in
            number == 0
                ? .unavailable(.transient("log.full", "full"), retryAfter: .milliseconds(1))
                : .published(id: "x", topic: "t", partition: 0, offset: 0)
        }
        let source = try harness.make(
            ExecSource.self, #""environment": {"INTERVAL": "0"}, "stop_timeout_ms": 500"#, command: #""command": ["sh", "\#(script)"]"#)
        try await source.open(intake: intake)
        await waitUntil { intake.inputs.count > 5 }
        await source.close()
        // The first was refused for now, and came again.
        #expect(intake.inputs[0].payload == intake.inputs[1].payload)
        #expect(intake.inputs[5].payload.string.hasPrefix(#"{"one":"#))
    }

    @Test func eventsAreTakenAndAnswered() async throws {
        let harness = try ExecHarness(
            """
            ready()
            say({"type": "events", "id": "first", "events": [
                {"payload": {"a": 1}, "id": "e-1", "key": "ben", "headers": {"trace": "t"}}, {"payload_base64": "/wA="}]})
            say({"type": "events", "id": 2, "events": [{"payload": 1}, {"payload": 2}, {"payload": 3}]})
            for line in sys.stdin: note(line.strip())
            """)
        let intake = RecordingIntake { number, input in
            switch number {
            case 2: .filtered
            case 3: .rejected(.permanent("schema.mismatch", "no name"))
            case 4: .unavailable(.transient("log.full", "full"), retryAfter: .milliseconds(1500))
            default: .published(id: "x", topic: "t", partition: 0, offset: 0)
            }
        }
        let source = try harness.make(ExecSource.self)
        try await source.open(intake: intake)
        await waitUntil { harness.notes.count == 2 }
        await source.close()
        let inputs = intake.inputs
        #expect(inputs.map(\.id) == ["e-1", nil, nil, nil, nil])
        #expect(inputs.map(\.key) == ["ben", nil, nil, nil, nil])
        #expect(inputs[0].headers == [Header("trace", "t")])
        #expect(inputs.map(\.payload) == [#"{"a": 1}"#, Bytes([0xFF, 0]), "1", "2", "3"])
        #expect(
            harness.notes == [
                #"{"type":"results","id":"first","results":["ok","ok"]}"#,
                #"{"type":"results","id":2,"results":["filtered",{"reject":"no name [schema.mismatch]"},{"retry":"full [log.full]","after_ms":1501}]}"#,
            ])
    }

    @Test func nothingIsReadWhileTooManyAreUnderWay() async throws {
        let harness = try ExecHarness(
            """
            import threading
            ready()
            reader = threading.Thread(target=sys.stdin.read)
            reader.start()
            for number in range(20000): say({"type": "events", "id": number, "events": [{"payload": number}]})
            note("all written")
            reader.join()
            """)
        let intake = RecordingIntake(isHolding: true) { number, _ in .published(id: "x", topic: "t", partition: 0, offset: 0) }
        let source = try harness.make(ExecSource.self, #""max_in_flight_events": 10"#)
        try await source.open(intake: intake)
        await waitUntil { intake.inputs.count >= 10 }
        // A read may bring more than the limit, but not more than the pipe holds.
        #expect(intake.inputs.count < 5000)
        #expect(harness.notes.isEmpty)
        await waitUntil {
            intake.release()
            return harness.notes == ["all written"]
        }
        await waitUntil {
            intake.release()
            return intake.inputs.count == 20000
        }
        await source.close()
    }

    /// Results that nobody reads must not pile up: past the limit nothing more is taken, and nothing is lost.
    @Test func aFloodWhoseResultsAreNotReadIsHeldBack() async throws {
        let harness = try ExecHarness(
            """
            import threading
            ready()
            def flood():
                for number in range(20000): say({"type": "events", "id": number, "events": [{"payload": number}]})
            threading.Thread(target=flood).start()
            while not os.path.exists("read"): time.sleep(0.01)
            for count, line in enumerate(sys.stdin, 1):
                if count == 20000: note("all answered")
            """)
        let intake = RecordingIntake { _, _ in .published(id: "x", topic: "t", partition: 0, offset: 0) }
        let source = try harness.make(ExecSource.self, #""max_in_flight_events": 10, "stop_timeout_ms": 30000"#)
        try await source.open(intake: intake)
        // Until no more come for a while: what a pipe takes in both directions, and not the flood.
        var count = 0
        var looks = 0
        await waitUntil {
            looks = intake.inputs.count == count && count > 0 ? looks + 1 : 0
            count = intake.inputs.count
            return looks > 300
        }
        #expect(count < 10_000)
        await waitUntil { harness.log.contains { $0.contains("the process does not read its results: 10 wait") } }
        _ = FileManager.default.createFile(atPath: harness.folder.path + "/read", contents: nil)
        await waitUntil { harness.notes == ["all answered"] }
        await source.close()
        #expect(intake.inputs.map(\.payload.string) == (0..<20_000).map(String.init))
    }

    @Test func whatIsUnderWayIsAnsweredBeforeTheInputCloses() async throws {
        let harness = try ExecHarness(
            """
            ready()
            say({"type": "events", "id": 1, "events": [{"payload": 1}]})
            for line in sys.stdin: note(line.strip())
            note("end of input")
            """)
        let intake = RecordingIntake(isHolding: true) { _, _ in .published(id: "x", topic: "t", partition: 0, offset: 0) }
        let source = try harness.make(ExecSource.self)
        try await source.open(intake: intake)
        await waitUntil { intake.inputs.count == 1 }
        async let closed: Void = source.close()
        intake.release()
        await closed
        #expect(harness.notes == [#"{"type":"results","id":1,"results":["ok"]}"#, "end of input"])
    }

    @Test func aSourceThatCrashesIsStartedAgain() async throws {
        let harness = try ExecHarness(
            """
            life = lives()
            ready()
            say({"type": "events", "id": 1, "events": [{"payload": life}]})
            sys.stdin.readline()
            if life < 3: os._exit(1)
            sys.stdin.read()
            """)
        let intake = RecordingIntake { _, _ in .published(id: "x", topic: "t", partition: 0, offset: 0) }
        let source = try harness.make(ExecSource.self)
        try await source.open(intake: intake)
        await waitUntil { intake.inputs.count == 3 }
        await source.close()
        #expect(intake.inputs.map(\.payload) == ["1", "2", "3"])
    }
}
