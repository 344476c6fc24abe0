import ExecPlugin
import Foundation
import Martlet
import MartletTesting
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
            ready()
            for number in range(20000): say({"type": "events", "id": number, "events": [{"payload": number}]})
            note("all written")
            for line in sys.stdin: pass
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
