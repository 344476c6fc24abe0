import Martlet
import TestSupport
import Testing

struct ChannelPatternTests {
    @Test(arguments: [
        ("", "", true), ("", "a", false), ("a", "a", true), ("a", "b", false), ("*", "", true), ("*", "any thing", true),
        ("a*", "abc", true), ("*c", "abc", true), ("a*c", "abbbc", true), ("a*c", "abbbd", false), ("a**c", "ac", true),
        ("?", "a", true), ("?", "", false), ("a?c", "abc", true), ("h[ae]llo", "hello", true), ("h[ae]llo", "hillo", false),
        ("h[^e]llo", "hallo", true), ("h[^e]llo", "hello", false), ("h[a-c]llo", "hbllo", true), ("h[c-a]llo", "hbllo", true),
        ("h[a-c]llo", "hdllo", false), (#"a\*"#, "a*", true), (#"a\*"#, "ab", false), (#"[\]]"#, "]", true), ("[ab", "b", true),
        (#"a\"#, #"a\"#, true), ("*a*b*c*", "xxaxxbxxcxx", true), ("*a*b*c*", "xxaxxcxxbxx", false), ("likes.*", "likes.a.b", true),
        ("[]", "", false), ("a[", "ab", false),
    ])
    func aNameMatches(pattern: String, name: String, expected: Bool) {
        #expect(ChannelPattern(Bytes(pattern)).matches(Bytes(name)) == expected)
    }

    @Test func whatIsAPattern() {
        #expect(["a*", "a?", "[a]", #"a\*"#].allSatisfy(ChannelPattern.isPattern))
        #expect(["", "notifications", "a.b-c_d:e/{f}", "ä]"].allSatisfy { !ChannelPattern.isPattern($0) })
    }

    @Test func aNastyPatternEnds() {
        let pattern = ChannelPattern(Bytes(String(repeating: "*a", count: 500) + "b"))
        #expect(!pattern.matches(Bytes(String(repeating: "a", count: 1_024))))
    }

    /// The rules written down as they read, without regard to time.
    private func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        switch first {
        case UInt8(ascii: "*"):
            return matches(pattern.dropFirst(), name) || (!name.isEmpty && matches(pattern, name.dropFirst()))
        case UInt8(ascii: "?"): return !name.isEmpty && matches(pattern.dropFirst(), name.dropFirst())
        default: return name.first == first && matches(pattern.dropFirst(), name.dropFirst())
        }
    }

    @Test func itAgreesWithTheRulesAsTheyRead() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5_000 {
            let pattern = (0..<Int.random(in: 0...8, using: &random)).map { _ in Array("ab*?".utf8)[Int.random(in: 0..<4, using: &random)] }
            let name = (0..<Int.random(in: 0...8, using: &random)).map { _ in Array("ab".utf8)[Int.random(in: 0..<2, using: &random)] }
            #expect(
                ChannelPattern(Bytes(pattern)).matches(Bytes(name)) == matches(pattern[...], name[...]),
                "seed \(seed): \(String(decoding: pattern, as: UTF8.self)) \(String(decoding: name, as: UTF8.self))")
        }
    }
}
