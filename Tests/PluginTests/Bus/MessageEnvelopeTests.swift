import Martlet
import TestSupport
import Testing

struct MessageEnvelopeTests {
    private func encode(_ message: Message) -> Bytes {
        var encoder = MessageEncoder()
        let size = encoder.prepare(message)
        var bytes: [UInt8] = []
        encoder.append(message, to: &bytes)
        #expect(bytes.count == size)
        return Bytes(bytes)
    }

    private func decode(_ bytes: Bytes) -> Message? {
        var decoder = MessageDecoder()
        if case .message(let message) = decoder.decode(bytes, from: "channel") { return message }
        return nil
    }

    @Test func theWireFormatOfVersion1() {
        let event = Event(
            id: "0195", key: "bob", headers: [Header("trace", "abc")], payload: #"{"text":"hi"}"#, timestamp: 1_700_000_000_000)
        let record = Record(topic: "notifications", partition: 3, offset: 42, index: 1, event: event)
        #expect(
            encode(Message(record: record, previousOffset: 40, isLast: false)).string
                == "martlet/1 notifications 3 42 1 40 0 1700000000000 13 4 3 5 3\n" + #"{"text":"hi"}0195bobtraceabc"#)
        let keyless = Record(topic: "n", partition: 0, offset: 0, event: Event(id: "", key: nil, payload: "", timestamp: -1))
        #expect(encode(Message(record: keyless, previousOffset: nil)).string == "martlet/1 n 0 0 0 - 1 -1 0 0 -\n")
    }

    @Test(arguments: [
        "martlet/1 n 0 0 0 - 1 5 2 1 -\n{}x", "martlet/1 n 2147483647 999999999999999999 9 -1 0 -5 0 0 0\n",
    ])
    func anEnvelopeIsRead(text: String) throws {
        let message = try #require(decode(Bytes(text)))
        #expect(message.record.topic == "n")
        #expect(encode(message).string == text)
    }

    @Test(arguments: [
        "", "hello", "martlet/1", "martlet/1 ", "martlet/1 \n", "martlet/1 n 0 0 0 - 1 5 2 1 -\n{}", "martlet/1 n 0 0 0 - 1 5 2 1 -\n{}xy",
        "martlet/1 n 0 0 0 - 1 5 2 1 -", "martlet/1 n 0 0 0 - 2 5 0 0 -\n", "martlet/1 n x 0 0 - 1 5 0 0 -\n",
        "martlet/1 n 0 0 0 - 1 5 -1 0 -\n", "martlet/1 n 0 0 0 - 1 5 99999999999999999999 0 -\n", "martlet/1 n 0 0 0 - 1 5 0 0 - 1\na",
        "martlet/1 n 0 0 0 - 1 5 0 0 - \n", "martlet/1 n  0 0 - 1 5 0 0 -\n", "martlet/1 n 3000000000 0 0 - 1 5 0 0 -\n",
        "martlet/1 n -1 0 0 -1 1 5 0 0 -\n", "martlet/1 n 0 -2 0 - 1 5 0 0 -\n", "martlet/1 n 0 0 -1 -1 1 5 0 0 -\n",
        "martlet/1 n 0 0 2147483647 -1 0 5 0 0 -\n", "martlet/1 n 0 0 0 -2 1 5 0 0 -\n",
        "martlet/ hello", "martlet/x 1", "martlet/1 gap\n ",
    ])
    func anythingElseIsAForeignPayload(text: String) throws {
        let message = try #require(decode(Bytes(text)))
        #expect(message.record.event.payload == Bytes(text))
        #expect(message.previousOffset == nil && message.record.topic == "channel" && message.record.offset == -1)
    }

    @Test func otherVersionsAndGapsAreKnown() {
        var decoder = MessageDecoder()
        guard case .unreadable = decoder.decode("martlet/2 anything", from: "c") else { Issue.record("not seen"); return }
        guard case .unreadable = decoder.decode("martlet/12 anything", from: "c") else { Issue.record("not seen"); return }
        guard case .gap = decoder.decode("martlet/1 gap\n", from: "c") else { Issue.record("not seen"); return }
    }

    @Test func aTopicThatIsNoneDoesNotBreakTheLine() throws {
        let record = Record(topic: "a b\nc", partition: 0, offset: 0, event: Event(id: "1", key: nil, payload: "x", timestamp: 0))
        let message = try #require(decode(encode(Message(record: record, previousOffset: nil))))
        #expect(message.record.topic == "a_b_c" && message.record.event.payload == "x")
    }

    @Test func damageIsNeverMoreThanAForeignPayload() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let whole = Array(encode(.sample(#"{"a": 1}"#, offset: 12)).string.utf8)
        for _ in 0..<5_000 {
            var bytes = Array(whole.prefix(Int.random(in: 0...whole.count, using: &random)))
            for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = Array("0123456789 -\nx".utf8)[Int.random(in: 0..<14, using: &random)]
            }
            var decoder = MessageDecoder()
            switch decoder.decode(Bytes(bytes), from: "c") {
            case .message(let message):
                let event = message.record.event
                #expect(event.payload.count <= bytes.count, "seed \(seed)")
            case .gap, .unreadable: break
            }
        }
    }
}
