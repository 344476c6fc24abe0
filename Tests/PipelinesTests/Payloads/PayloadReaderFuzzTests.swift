import Martlet
import Pipelines
import Testing

/// The payload reader and the config's JSON reader share no code: on any text they must agree whether it is JSON.
@Suite struct PayloadReaderFuzzTests {
    /// SplitMix64, so that a seed that fails can be run again.
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }

    private static let scalars = [
        "0", "-1", "12", "1.5", "-0.0e+2", "3E7", "true", "false", "null", "\"\"", "\"a\"", "\"\\n\\u00e9\"", "\"\\ud83d\\udc26\"",
        "\"é🐦\"", "\"\\\"\"", "\"\\\\\"", "01", "1.", "-", "+1", "1e", "tru", "\"\\x\"", "\"\\ud800\"", "\"\\u12\"",
    ]
    private static let scraps = [
        "{", "}", "[", "]", ":", ",", "\"", "\\", " ", "\n", "\t", "0", "e", "-", ".", "a", "\u{1}", "é", "true", "\"a\":1,",
    ]

    private func value(_ random: inout Random, depth: Int) -> String {
        let space = ["", "", "", " ", "\n"].randomElement(using: &random) ?? ""
        switch depth < 4 ? Int.random(in: 0..<4, using: &random) : 3 {
        case 0:
            let members = (0..<Int.random(in: 0..<4, using: &random)).map { index in
                "\"\(["k", "é", "\\u006b", ""].randomElement(using: &random) ?? "")\(index)\"\(space):\(value(&random, depth: depth + 1))"
            }
            return "{\(space)\(members.joined(separator: space + ","))}"
        case 1:
            let items = (0..<Int.random(in: 0..<4, using: &random)).map { _ in value(&random, depth: depth + 1) }
            return "[\(items.joined(separator: "," + space))\(space)]"
        default:
            // Mostly good ones.
            let count = Bool.random(using: &random) ? Self.scalars.count : Self.scalars.count - 9
            return Self.scalars[Int.random(in: 0..<count, using: &random)] + space
        }
    }

    private func mutated(_ text: String, _ random: inout Random) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 0..<3, using: &random) {
            let index = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where index < bytes.count: bytes.remove(at: index)
            case 1: bytes.insert(contentsOf: (Self.scraps.randomElement(using: &random) ?? "").utf8, at: index)
            case 2 where index < bytes.count: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
            case 3: bytes.removeSubrange(index...)
            default: break
            }
        }
        return bytes
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func readersAgree(seed: UInt64) {
        var random = Random(state: seed)
        let reader = SimdjsonPayloadReader()
        var accepted = 0
        for round in 0..<2000 {
            let bytes = mutated(value(&random, depth: 0), &random)
            let problems = ConfigProblems(file: "")
            let isJSON = JSONReader.read(bytes, problems: problems) != nil && problems.isEmpty
            // A slice in the middle of other bytes, so that reading past the end shows.
            let payload = Bytes(Array("[\"".utf8) + bytes + Array("\"]}".utf8)).slice(2..<2 + bytes.count)
            let isPayload: Bool
            do throws(PayloadError) {
                try reader.check(payload)
                isPayload = true
            } catch {
                isPayload = false
            }
            #expect(isPayload == isJSON, "seed \(seed), round \(round): \(String(decoding: bytes, as: UTF8.self))")
            if isPayload { accepted += 1 }
        }
        #expect(accepted > 200)
    }
}
