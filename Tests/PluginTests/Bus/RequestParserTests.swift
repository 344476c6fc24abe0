import Martlet
import TestSupport
import Testing

@testable import BusPlugin

struct RequestParserTests {
    private static let limits = RequestParser.Limits(words: 4, wordBytes: 10, requestBytes: 20)

    /// Everything that comes out of a stream, and the error that ends it.
    private static func parse(_ pieces: [[UInt8]], limits: RequestParser.Limits = limits) -> (requests: [[String]], error: String?) {
        var parser = RequestParser(limits: limits)
        var requests: [[String]] = []
        do throws(RequestParser.Malformed) {
            for piece in pieces {
                piece.withUnsafeBytes { parser.append($0) }
                while let request = try parser.next() { requests.append(request.map(\.string)) }
            }
        } catch {
            return (requests, error.message)
        }
        return (requests, nil)
    }

    private static let good: [(String, [[String]])] = [
        ("*1\r\n$4\r\nPING\r\n", [["PING"]]),
        ("*2\r\n$3\r\nA\r\n\r\n$0\r\n\r\n", [["A\r\n", ""]]),
        ("*0\r\n*-1\r\n\r\n\n*1\r\n$1\r\nx\r\n", [["x"]]),
        ("PING\r\nPING\n", [["PING"], ["PING"]]),
        ("  set  a\tb \r\n", [["set", "a", "b"]]),
        (#""\x41\n\"" 'i\'s' p"# + "\r\n", [["A\n\"", "i's", "p"]]),
        (#"a"b"c"# + "\n", []),
        (#""" ''"# + "\r\n", [["", ""]]),
        ("*1\r\n$4\r\nPI", []),
        ("*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$10\r\n0123456789\r\n", [["a", "b", "c", "0123456789"]]),
    ]

    @Test(arguments: good)
    func aStreamOfRequests(text: String, expected: [[String]]) {
        let bytes = Array(text.utf8)
        let whole = Self.parse([bytes])
        #expect(whole.requests == expected)
        #expect((whole.error == nil) == (text != #"a"b"c"# + "\n"))
        let byByte = Self.parse(bytes.map { [$0] })
        #expect(byByte.requests == whole.requests && byByte.error == whole.error)
    }

    private static let bad: [(String, String)] = [
        ("*5\r\n", "invalid multibulk length"),
        ("*2147483648\r\n", "invalid multibulk length"),
        ("*99999999999999999999\r\n", "invalid multibulk length"),
        ("*x\r\n", "invalid multibulk length"),
        ("*\r\n", "invalid multibulk length"),
        ("*-2\r\n", "invalid multibulk length"),
        ("*1\n$1\r\na\r\n", "invalid multibulk length"),
        ("*" + String(repeating: "1", count: 40), "invalid multibulk length"),
        ("*1\r\n:1\r\n", "expected '$'"),
        ("*1\r\n$11\r\n", "invalid bulk length"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$" + String(repeating: "1", count: 40), "invalid bulk length"),
        ("*1\r\n$1\r\nabc", "expected CRLF after a bulk string"),
        ("*3\r\n$10\r\n0123456789\r\n$10\r\n0123456789\r\n$1\r\n", "request too large"),
        ("a b c d e\r\n", "too big inline request"),
        (#""open"# + "\r\n", "unbalanced quotes in request"),
        (#"'a'b"# + "\r\n", "unbalanced quotes in request"),
        (String(repeating: "x", count: 70_000), "too big inline request"),
    ]

    @Test(arguments: bad)
    func whatIsNoRequestEndsTheStream(text: String, expected: String) {
        let whole = Self.parse([Array(text.utf8)])
        #expect(whole.error == expected)
        #expect(Self.parse(text.utf8.map { [$0] }).error == expected)
    }

    @Test func requestsSurviveAnyDivision() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let limits = RequestParser.Limits(words: 8, wordBytes: 5_000, requestBytes: 40_000)
        for _ in 0..<300 {
            let requests: [[[UInt8]]] = (0..<Int.random(in: 1...20, using: &random)).map { _ in
                (0..<Int.random(in: 1...8, using: &random)).map { _ in
                    (0..<Int.random(in: 0...(Bool.random(using: &random) ? 5 : 2_000), using: &random)).map { _ in
                        UInt8.random(in: 0...255, using: &random)
                    }
                }
            }
            let stream = requests.flatMap(Self.encode)
            var pieces: [[UInt8]] = []
            var rest = stream[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...(Bool.random(using: &random) ? 3 : 4_000), using: &random))
                pieces.append(Array(piece))
                rest = rest.dropFirst(piece.count)
            }
            var parser = RequestParser(limits: limits)
            var parsed: [[[UInt8]]] = []
            for piece in pieces {
                piece.withUnsafeBytes { parser.append($0) }
                while let request = try? parser.next() { parsed.append(request.map { $0.withUnsafeBytes(Array.init) }) }
            }
            #expect(parsed == requests, "seed \(seed)")
        }
    }

    @Test func anyBytesAreEitherRequestsOrAnError() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("*$\r\n\r\n-0123456789ab\"'\\x ".utf8)
        for _ in 0..<3_000 {
            var bytes = (0..<Int.random(in: 1...200, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            if Bool.random(using: &random) { bytes = Self.encode([bytes, bytes]) }
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = alphabet.randomElement(using: &random) ?? 0
            }
            let whole = Self.parse([bytes])
            let byByte = Self.parse(bytes.map { [$0] })
            #expect(whole.requests == byByte.requests && whole.error == byByte.error, "seed \(seed): \(bytes)")
            #expect(whole.requests.allSatisfy { $0.count <= 4 && !$0.isEmpty }, "seed \(seed)")
        }
    }

    private static func encode(_ words: [[UInt8]]) -> [UInt8] {
        words.reduce(Array("*\(words.count)\r\n".utf8)) { $0 + Array("$\($1.count)\r\n".utf8) + $1 + Array("\r\n".utf8) }
    }
}
