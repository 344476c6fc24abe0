import CEvent
import TestSupport
import Testing

@testable import HTTPServer

/// Random damage to valid requests. The parser must not crash, must not depend on how the bytes are split, must agree
/// with a second reading of the RFC on what is a request and where it ends, and must not keep more than its limits.
///
/// `MARTLET_FUZZ_ROUNDS` and `MARTLET_FUZZ_SEED` make a longer run or repeat one.
struct RequestParserFuzzTests {
    private static let corpus: [[UInt8]] = (RequestCases.accepted + RequestCases.refusedHeads + RequestCases.refusedFraming)
        .map { $0.bytes.unicodeScalars.map { UInt8($0.value) } }
    private static let telling: [[UInt8]] = [
        "\r", "\n", "\r\n", "\0", " ", "\t", ":", ";", ",", "%", "%2", "%41", "?", "&", "=", "#", "/", "0", "5", "f", "-", "\u{b}",
        "\u{7f}", "\r\n\r\n", "Host: x\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n",
        "HTTP/1.1", "HTTP/1.0", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "0\r\n\r\n", "[", "]", "@", "http://x",
    ].map { Array($0.utf8) } + [[0x80], [0xFF], [0xC3, 0xBC]]

    private func setting(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }

    @Test func neverReadsABytesTwoWays() {
        let seed = setting("MARTLET_FUZZ_SEED") ?? UInt64.random(in: 0...UInt64.max)
        let rounds = setting("MARTLET_FUZZ_ROUNDS") ?? 4000
        for round in 0..<rounds {
            var random = SeededGenerator(seed: seed &+ round)
            let input = mutated(&random)
            let whole = ParserDriver.run(input)
            let context = "MARTLET_FUZZ_SEED=\(seed &+ round) MARTLET_FUZZ_ROUNDS=1: \(String(decoding: input, as: UTF8.self).debugDescription)"

            var split = ParserDriver()
            var rest = input[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...max(1, min(rest.count, 40)), using: &random)
                split.feed(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            let reference = ReferenceParser.run(input)
            // The reference refuses a head or a chunk only when it is whole; refusing it earlier is as good.
            let isRefused = reference.count < whole.count && accepted(whole).count == whole.count - 1
            let comparable = isRefused ? reference : whole.map { if case .refused = $0 { .refused(0) } else { $0 } }
            #expect(accepted(whole) == accepted(reference), "second reading: \(context)")
            #expect(split.outcomes == whole, "split: \(context)")
            #expect(comparable == reference, "second reading: \(context)")
            #expect(split.pendingMax <= 8192 + 16384, "kept too much: \(context)")
            if split.outcomes != whole || comparable != reference { return }
        }
    }

    private func accepted(_ outcomes: [ParserDriver.Outcome]) -> [ParserDriver.Outcome] {
        outcomes.filter { if case .request = $0 { true } else { false } }
    }

    private func mutated(_ random: inout SeededGenerator) -> [UInt8] {
        var input = RequestParserFuzzTests.corpus.randomElement(using: &random) ?? []
        if Bool.random(using: &random) { input += RequestParserFuzzTests.corpus.randomElement(using: &random) ?? [] }
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            guard !input.isEmpty else { break }
            let position = Int.random(in: 0..<input.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: input[position] = UInt8.random(in: 0...255, using: &random)
            case 1: input.remove(at: position)
            case 2, 3:
                input.insert(contentsOf: RequestParserFuzzTests.telling.randomElement(using: &random) ?? [], at: position)
            case 4:
                let end = min(input.count, position + Int.random(in: 1...20, using: &random))
                input.insert(contentsOf: input[position..<end], at: Int.random(in: 0...input.count, using: &random))
            default: input[position] ^= 0x20
            }
        }
        return input
    }
}
