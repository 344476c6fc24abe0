import ExecPlugin
import Foundation
import Martlet
import MartletTesting
import TestSupport
import Testing

@Suite struct ExecSinkTests {
    @Test func theExampleKeepsTheContract() async throws {
        let harness = try ExecHarness()
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../Plugins/Exec").standardized.path
        let file = harness.folder.path + "/audit.log"
        let config = try ReadmeExample.json(of: "Exec").replacingOccurrences(of: "\"audit.log\"", with: "\"\(file)\"")
        let fields = String(config.drop { $0 != "," }.dropFirst().dropLast(2)).replacingOccurrences(
            of: "\"examples\"", with: "\"\(folder)/examples\"")
        let command = String(fields.prefix { $0 != "]" }) + "]"
        let rest = String(fields.dropFirst(command.count + 1))
        try await SinkContract.verify(
            payload: { #"{"actor": "user \#($0)"}"# }, badPayload: #"{"post": 1}"#,
            make: { try harness.make(ExecSink.self, rest, command: command) },
            makeUnreachable: { try harness.make(ExecSink.self, command: #""command": ["./missing"]"#) },
            written: {
                let text = try? String(contentsOfFile: file, encoding: .utf8)
                return text?.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) } ?? []
            })
    }

    @Test func theChatExampleKeepsTheContract() async throws {
        let harness = try ExecHarness()
        let receiver = try HTTPReceiver()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../Plugins/Exec/examples/chat.py").standardized.path
        @Sendable func make(_ path: String) throws -> ExecSink {
            try harness.make(
                ExecSink.self, #""options": {"url": "\#(receiver.url)/\#(path)"}"#, command: #""command": ["/usr/bin/python3", "\#(script)"]"#)
        }
        try await SinkContract.verify(
            payload: { #"{"text": "record-\#($0)"}"# }, make: { try make("hook") },
            written: { receiver.requests.map { String($0.body.dropFirst(10).dropLast(2)) } })
        // What may pass is sent again; what the chat refuses is the record's own fault.
        let busy = try make("once-503")
        try await busy.open()
        #expect(try await ExecHarness.persist(ExecHarness.records(0..<1), busy) == ["each"])
        await busy.close()
        let strict = try make("422")
        try await strict.open()
        guard case .each(let errors) = try await strict.write(ExecHarness.records(0..<1)) else { return #expect(Bool(false)) }
        await strict.close()
        #expect(errors.map { $0?.kind } == [.permanent])
    }

    @Test func recordsArriveWhole() async throws {
        let harness = try ExecHarness(
            """
            ready()
            for batch in batches():
                for record in batch["records"]: note(json.dumps(record, sort_keys=True))
                answer(batch, "ok")
            """)
        let sink = try await harness.open()
        let json = ExecHarness.records(3..<4)
        var opaque = json[0]
        opaque.event.payload = Bytes([0xFF, 0, 10])
        opaque.event.key = nil
        var pretty = json[0]
        pretty.event.payload = "{\n  \"n\": 12345678901234567890\n}"
        guard case .handled = try await sink.write([json[0], opaque, pretty]) else { return #expect(Bool(false)) }
        await sink.close()
        let head = #""headers": {"trace": "t"}, "id": "id-3", "key": "#
        let tail = #""timestamp": 1700000000000, "topic": "likes"}"#
        #expect(
            harness.notes == [
                "{\(head)\"ben\", \"offset\": 3, \"partition\": 0, \"payload\": {\"n\": 3}, \(tail)",
                "{\(head)null, \"offset\": 3, \"partition\": 0, \"payload_base64\": \"/wAK\", \(tail)",
                "{\(head)\"ben\", \"offset\": 3, \"partition\": 0, \"payload\": {\"n\": 12345678901234567890}, \(tail)",
            ])
    }

    @Test func eachRecordHasItsOutcome() async throws {
        let harness = try ExecHarness(
            """
            ready()
            for batch in batches():
                answer(batch, ["ok", {"retry": "away", "after_ms": 250}, {"reject": "no name"}, {"block": "no table"}])
            """)
        let sink = try await harness.open()
        guard case .each(let errors) = try await sink.write(ExecHarness.records(0..<4)) else { return #expect(Bool(false)) }
        await sink.close()
        #expect(errors.map { $0?.kind } == [nil, .transient, .permanent, .blocked])
        #expect(errors.map { $0?.message } == [nil, "away", "no name", "no table"])
        #expect(errors[1]?.retryAfter == .milliseconds(250))
    }

    @Test func aProcessThatCrashesInABatchLosesNothing() async throws {
        let harness = try ExecHarness(
            """
            life = lives()
            ready()
            for batch in batches():
                for place, record in enumerate(batch["records"]):
                    if life < 3 and place == 5 * life: os._exit(9)
                    note(record["id"])
                answer(batch, "ok")
            """)
        let sink = try await harness.open()
        let codes = try await ExecHarness.persist(ExecHarness.records(0..<20), sink)
        await sink.close()
        #expect(codes.first == "exec.ended")
        let arrived = harness.notes.filter { $0 != "life" }
        // 5 before the first crash, 10 before the second, then all.
        #expect(arrived == (Array(0..<5) + Array(0..<10) + Array(0..<20)).map { "id-\($0)" })
        #expect(harness.log.contains { $0.contains("the process exited with code 9; starting it again in 0.1 seconds") })
    }

    @Test(arguments: [
        ("sys.stdout.write('what?\\n'); sys.stdout.flush()", "exec.bad_output", "is not JSON"),
        ("say({'type': 'result'})", "exec.bad_output", #""results" was expected"#),
        ("answer({'id': 77}, 'ok')", "exec.bad_output", #"has not got: "id": 77"#),
        ("answer(batch, ['ok'])", "exec.bad_output", "gave 1 results for 2 records"),
        ("answer(batch, 'fine')", "exec.bad_output", #"gave the result "fine""#),
        ("sys.stdout.write('x' * 70000); sys.stdout.flush()", "exec.bad_output", "a line of more than 65536 bytes"),
        ("time.sleep(60)", "exec.timeout", "batch_timeout_ms"),
        ("os.close(1); time.sleep(60)", "exec.ended", "closed its standard output"),
        ("os.kill(os.getpid(), 11)", "exec.ended", "was ended by signal 11"),
    ])
    func misbehaviourEndsTheProcessAndTheBatchComesAgain(deed: String, code: String, text: String) async throws {
        let harness = try ExecHarness(
            """
            life = lives()
            ready()
            for batch in batches():
                if life == 1: \(deed)
                answer(batch, "ok")
            """)
        let sink = try await harness.open(#""batch_timeout_ms": 2000, "max_line_bytes": 65536"#)
        let error = await #expect(throws: ModuleError.self) { _ = try await sink.write(ExecHarness.records(0..<2)) }
        #expect(error?.code == code)
        #expect(error?.kind == .transient)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
        _ = try await ExecHarness.persist(ExecHarness.records(0..<2), sink)
        await sink.close()
        #expect(harness.notes == ["life", "life"])
    }

    @Test(arguments: [
        ("sys.exit(3)", "exec.ended", ModuleError.Kind.transient, "exited with code 3 before it answered the greeting"),
        ("time.sleep(60)", "exec.start_timeout", .transient, "start_timeout_ms"),
        ("say({'type': 'ready', 'protocol': 2})", "exec.protocol", .blocked, "speaks protocol 2, this host speaks 1"),
        ("say({'type': 'ready'})", "exec.protocol", .blocked, "speaks protocol none"),
        ("print('Welcome!', flush=True)", "exec.bad_output", .transient, "is not JSON"),
        ("say({'type': 'hi'})", "exec.bad_output", .transient, #"instead of "ready""#),
    ])
    func aBadStartIsTold(deed: String, code: String, kind: ModuleError.Kind, text: String) async throws {
        let harness = try ExecHarness("\(deed)\ntime.sleep(60)")
        let sink = try harness.make(ExecSink.self, #""start_timeout_ms": 1000"#)
        let error = await #expect(throws: ModuleError.self) { try await sink.open() }
        #expect(error?.code == code)
        #expect(error?.kind == kind)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
        await sink.close()
    }

    @Test(arguments: [
        (#""command": ["no-such-program"]"#, "exec.not_found"), (#""command": ["./script.py"]"#, "exec.not_executable"),
        (#""command": ["sh"], "working_directory": "/no/such/folder""#, "exec.not_found"),
    ])
    func aProgramThatCannotBeRunBlocks(command: String, code: String) async throws {
        let harness = try ExecHarness("")
        let sink = try harness.make(ExecSink.self, command: command)
        let error = await #expect(throws: ModuleError.self) { try await sink.open() }
        #expect(error?.code == code)
        #expect(error?.kind == .blocked)
    }

    @Test func largeBatchesGoInSeveralLines() async throws {
        let harness = try ExecHarness(
            """
            ready()
            for batch in batches():
                note(len(batch["records"]))
                answer(batch, "ok")
            """)
        let sink = try await harness.open(#""max_line_bytes": 1024"#)
        var batch = ExecHarness.records(0..<20)
        batch[7].event.payload = Bytes("\"" + String(repeating: "x", count: 1000) + "\"")
        guard case .each(let errors) = try await sink.write(batch) else { return #expect(Bool(false)) }
        await sink.close()
        #expect(errors.indices.filter { errors[$0] != nil } == [7])
        #expect(errors[7]?.code == "exec.record_too_large")
        #expect(harness.notes.compactMap { Int($0) }.reduce(0, +) == 19)
        #expect(harness.notes.count > 2)
    }
}
