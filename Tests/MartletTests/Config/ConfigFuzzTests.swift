import Foundation
import Martlet
import TestSupport
import Testing

/// Random inputs from a printed seed, against another reader and against the rules that must hold for any input.
struct ConfigFuzzTests {
    /// The other reader's own liberties are left out: it takes a NUL for UTF-16, lets a comma end a list, and refuses a
    /// number past a double.
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func acceptsExactlyWhatAnotherReaderAccepts(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array(#"{}[]:,"\ 0123456789.-+eEtrufalsn/"#.utf8) + [0x0A, 0x0D, 0x09, 0x1F, 0x7F, 0xC3, 0xA9, 0xF0, 0xFF]
        let samples = [
            #"{"a": [1, -2.5e3, "xé\n\u00e9"], "b": {"c": null, "d": true}, "e": false}"#, #"["\ud83d\udc26", 0, {}]"#, "12.5", "\"\"",
        ]
        for _ in 0..<2_000 {
            var bytes = Array(samples.randomElement(using: &random)?.utf8 ?? "".utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<max(1, bytes.count), using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0 where !bytes.isEmpty: bytes.remove(at: index)
                case 1 where !bytes.isEmpty: bytes[index] = alphabet.randomElement(using: &random) ?? 0
                default: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: min(index, bytes.count))
                }
            }
            let problems = ConfigProblems(file: "config.json")
            let node = JSONReader.read(bytes, problems: problems)
            let isValid = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            let isLiberty =
                problems.text.contains("JSON allows no comma") || bytes.split(whereSeparator: { !isNumberByte($0) })
                .contains { Double(String(decoding: $0, as: UTF8.self))?.isInfinite == true }
            #expect((node != nil) == isValid || isLiberty, "seed \(seed): \(String(decoding: bytes, as: UTF8.self).debugDescription) \(problems.text)")
            if let node {
                let again = JSONReader.read(JSONWriter.bytes(node), problems: ConfigProblems(file: ""))
                #expect(again.map { JSONWriter.text($0) } == JSONWriter.text(node), "seed \(seed)")
            } else {
                #expect(problems.sorted.contains { $0.code == .syntax && $0.position.line > 0 }, "seed \(seed)")
            }
        }
    }

    private func isNumberByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains(byte)
    }

    /// Whatever the environment holds, it is text: it neither makes nor breaks an expression.
    @Test(arguments: [1, 2, 3, UInt64.random(in: 0..<1 << 32)])
    func substitutedTextIsNeverScanned(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let letters = ["$", "$", "{", "}", "/", "x", "env:V", "é"]
        for _ in 0..<5_000 {
            let value = (0..<Int.random(in: 0...6, using: &random)).map { _ in letters.randomElement(using: &random) ?? "" }.joined()
            var source = ""
            var expected: [SubstitutionScanner.Piece] = []
            func literal(_ text: String) {
                if case .literal(let before)? = expected.last {
                    expected[expected.count - 1] = .literal(before + text)
                } else if !text.isEmpty {
                    expected.append(.literal(text))
                }
            }
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                switch Int.random(in: 0..<6, using: &random) {
                case 0:
                    source += "$$${env:V}"
                    literal("$" + value)
                case 3:
                    source += "{/x}"
                    literal("{/x}")
                case 4:
                    source += "${env:V}"
                    literal(value)
                case 1:
                    source += "${/x}"
                    expected.append(.expression("/x"))
                case 2:
                    // Dollars that no brace follows are themselves.
                    source += "$$a"
                    literal("$$a")
                default:
                    source += "$${"
                    literal("${")
                }
            }
            let loaded = ConfigSource.load(text: JSONWriter.text([.string(source)])) { _ in value }
            guard case .array(let items)? = loaded.root?.kind, let text = ConfigText(node: items[0], path: .root) else {
                Issue.record("seed \(seed): \(source) \(loaded.problems.text)")
                return
            }
            #expect(text.pieces.map(\.piece) == expected, "seed \(seed): \(source) with V = \(value)")
        }
    }
}
