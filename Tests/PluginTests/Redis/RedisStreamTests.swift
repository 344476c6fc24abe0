import Foundation
import Martlet
import MartletTesting
import Pipelines
import RedisPlugin
import TestSupport
import Testing

@Suite struct RedisStreamTests {
    private func sink(_ url: String, _ fields: String = "") throws -> RedisSink {
        try TestHost(payloads: SimdjsonPayloadReader()).make(RedisSink.self, #"{"url": "\#(url)", "stream": "out"\#(fields)}"#)
    }

    private func source(_ url: String, _ fields: String) throws -> RedisSource {
        try TestHost(payloads: SimdjsonPayloadReader()).make(RedisSource.self, #"{"url": "\#(url)", \#(fields)}"#)
    }

    private func intake() -> RecordingIntake {
        RecordingIntake { _, _ in .published(id: "x", topic: "t", partition: 0, offset: 0) }
    }

    private func record(_ number: Int, _ payload: String = "{}") -> Record {
        Record(topic: "t", partition: 0, offset: Offset(number), event: Event(id: Bytes("id-\(number)"), key: nil, payload: Bytes(payload), timestamp: 5))
    }

    @Test func theSinkKeepsTheContract() async throws {
        let server = try RedisServer()
        try await SinkContract.verify(
            payload: { #"{"n": \#($0)}"# }, badPayload: "{}",
            make: { try sink(server.url, #", "fields": {"id": "${@id}", "n": "${/n}"}"#) },
            makeUnreachable: { try sink("redis://127.0.0.1:\(try FreePort.take())") },
            written: {
                try server.cli("--raw", "XRANGE", "out", "-", "+").split(separator: "\n").map(String.init).filter { $0.hasPrefix("record-") }
            })
    }

    @Test func streamsAreNamedByTemplatesAndKeptShort() async throws {
        let server = try RedisServer()
        let sink = try TestHost(payloads: SimdjsonPayloadReader()).make(
            RedisSink.self, #"{"url": "\#(server.url)", "stream": "s-${/to}", "max_length_events": 100}"#)
        try await sink.open()
        _ = try await sink.write((0..<1000).map { record($0, #"{"to":"a"}"#) })
        try server.cli("SET", "s-b", "no stream")
        guard case .each(let errors) = try await sink.write([record(1, #"{"to":"b"}"#), record(2, #"{"to":"c"}"#)]) else {
            return #expect(Bool(false))
        }
        await sink.close()
        #expect(errors[0]?.message.contains("WRONGTYPE") == true && errors[1] == nil)
        let length = try #require(Int(try server.cli("XLEN", "s-a")))
        #expect((100..<400).contains(length))
        #expect(try server.cli("--raw", "XRANGE", "s-c", "-", "+").split(separator: "\n").dropFirst().joined(separator: " ").hasPrefix("id id-2 key"))
    }

    @Test func aLostConnectionIsTransientAndMadeAgain() async throws {
        let server = try RedisServer()
        let sink = try sink(server.url)
        try await sink.open()
        server.stop()
        let error = await #expect(throws: ModuleError.self) { _ = try await sink.write([record(1)]) }
        #expect(error?.kind == .transient)
        try server.start()
        guard case .handled = try await sink.write([record(1)]) else { return #expect(Bool(false)) }
        await sink.close()
        #expect(try server.cli("XLEN", "out") == "1")
    }

    @Test func entriesAreAcknowledgedOnceTheyAreInTheLog() async throws {
        let server = try RedisServer()
        for number in 0..<5 { try server.cli("XADD", "in", "\(number + 1)-0", "payload", "{\"n\":\(number)}", "trace", "t\(number)") }
        try server.cli("XADD", "in", "9-0", "payload", "oops")
        let intake = intake()
        let source = try source(server.url, #""stream": "in", "group": "g", "consumer": "c", "payload_field": "payload", "batch_events": 2"#)
        try await source.open(intake: intake)
        await waitUntil { intake.inputs.count == 5 }
        try server.cli("XADD", "in", "10-0", "payload", "{\"n\":5}")
        await waitUntil { intake.inputs.count == 6 }
        await waitUntil { (try? server.cli("XPENDING", "in", "g"))?.hasPrefix("0") == true }
        await source.close()
        #expect(intake.inputs.map(\.id) == ["in/1-0", "in/2-0", "in/3-0", "in/4-0", "in/5-0", "in/10-0"])
        #expect(intake.inputs[0].payload == #"{"n":0}"#)
        #expect(intake.inputs[0].headers == [Header("trace", "t0")])
    }

    @Test func whatWasNotAcknowledgedComesAgain() async throws {
        let server = try RedisServer()
        try server.cli("XGROUP", "CREATE", "in", "g", "0", "MKSTREAM")
        for number in 1...4 { try server.cli("XADD", "in", "\(number)-0", "n", "\(number)") }
        // As if this host, and another one, had ended with entries in hand.
        try server.cli("XREADGROUP", "GROUP", "g", "mine", "COUNT", "2", "STREAMS", "in", ">")
        try server.cli("XREADGROUP", "GROUP", "g", "gone", "COUNT", "1", "STREAMS", "in", ">")
        let intake = intake()
        let source = try source(server.url, #""stream": "in", "group": "g", "consumer": "mine", "claim_idle_ms": 100"#)
        try await source.open(intake: intake)
        await waitUntil { Set(intake.inputs.compactMap(\.id)).count == 4 }
        await waitUntil { (try? server.cli("XPENDING", "in", "g"))?.hasPrefix("0") == true }
        await source.close()
        #expect(intake.inputs.prefix(2).map(\.payload) == [#"{"n":"1"}"#, #"{"n":"2"}"#])
    }

    @Test func whatWasDeletedBeforeItWasAcknowledgedIsNoEvent() async throws {
        let server = try RedisServer()
        try server.cli("XGROUP", "CREATE", "in", "g", "0", "MKSTREAM")
        for number in 1...3 { try server.cli("XADD", "in", "\(number)-0", "n", "\(number)") }
        try server.cli("XREADGROUP", "GROUP", "g", "mine", "COUNT", "3", "STREAMS", "in", ">")
        try server.cli("XDEL", "in", "1-0", "3-0")
        let intake = intake()
        let source = try source(server.url, #""stream": "in", "group": "g", "consumer": "mine""#)
        try await source.open(intake: intake)
        await waitUntil { (try? server.cli("XPENDING", "in", "g"))?.hasPrefix("0") == true }
        await source.close()
        #expect(intake.inputs.map(\.payload) == [#"{"n":"2"}"#])
    }

    @Test func aServerThatGoesAwayAndComesBackIsFollowed() async throws {
        let server = try RedisServer()
        let intake = intake()
        let source = try source(server.url, #""stream": "in""#)
        try await source.open(intake: intake)
        await waitUntil { (try? server.cli("XINFO", "GROUPS", "in"))?.contains("martlet") == true }
        server.stop()
        try server.start()
        // The stream is gone with the server's memory; the group is made again.
        await waitUntil { (try? server.cli("XINFO", "GROUPS", "in"))?.contains("martlet") == true }
        try server.cli("XADD", "in", "*", "n", "1")
        await waitUntil { intake.inputs.count == 1 }
        await source.close()
    }

    @Test func channelsAndPatterns() async throws {
        let server = try RedisServer()
        let intake = intake()
        let source = try source(server.url, #""channel": "orders.*""#)
        try await source.open(intake: intake)
        await waitUntil { (try? server.cli("PUBLISH", "orders.a", "{\"n\":1}")) == "1" }
        try server.cli("PUBLISH", "orders.b", "oops")
        try server.cli("PUBLISH", "orders.c", "{\"n\":2}")
        await waitUntil { intake.inputs.count == 2 }
        await source.close()
        #expect(intake.inputs.map(\.payload) == [#"{"n":1}"#, #"{"n":2}"#])
        #expect(intake.inputs.map(\.headers) == [[Header("channel", "orders.a")], [Header("channel", "orders.c")]])
    }

    @Test func aSourceReadsAStreamOrAChannel() {
        for fields in [#""group": "g""#, #""stream": "a", "channel": "b""#] {
            let error = #expect(throws: ConfigError.self) { try source("redis://127.0.0.1", fields) }
            #expect(error?.problems.first.map { "\($0)" }?.contains("either a `stream` or a `channel`") == true)
        }
    }
}
