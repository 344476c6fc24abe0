@testable import HTTPServer

/// A slow reading of RFC 9112, written apart from the parser and in another way: whole strings, one rule after the
/// other. The fuzz run compares both: what the parser accepts must be what this accepts, with the same end.
struct ReferenceParser {
    private var rest: [UInt8]
    private(set) var outcomes: [ParserDriver.Outcome] = []
    private let limits = RequestLimits()

    private struct Refusal: Error {}
    private struct Unfinished: Error {}

    /// Outcomes of all bytes; a refusal has status 0, since only its being refused is compared.
    static func run(_ bytes: [UInt8]) -> [ParserDriver.Outcome] {
        var parser = ReferenceParser(rest: bytes)
        while !parser.rest.isEmpty {
            do {
                parser.outcomes.append(try parser.request())
            } catch is Refusal {
                parser.outcomes.append(.refused(0))
                break
            } catch {
                break
            }
        }
        return parser.outcomes
    }

    private init(rest: [UInt8]) {
        self.rest = rest
    }

    private mutating func line(max: Int) throws -> [UInt8] {
        guard let end = rest.firstIndex(of: 10) else {
            if rest.count > max { throw Refusal() }
            throw Unfinished()
        }
        let line = Array(rest[...end])
        guard line.count <= max, line.count >= 2, line[line.count - 2] == 13 else { throw Refusal() }
        rest.removeFirst(end + 1)
        return line.dropLast(2)
    }

    private mutating func request() throws -> ParserDriver.Outcome {
        try checkFirst()
        var first = try line(max: limits.requestLineBytesMax)
        if first.isEmpty {
            try checkFirst()
            first = try line(max: limits.requestLineBytesMax)
        }
        let words = first.split(separator: 32, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 3, words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0",
            ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"].contains(words[0]),
            first.allSatisfy({ $0 < 128 })
        else { throw Refusal() }
        let minor: UInt8 = words[2] == "HTTP/1.1" ? 1 : 0
        let authority = try checkTarget(words[1], words[0])
        let fields = try fieldLines()
        let (keep, isChunked, length) = try framing(fields, minor, authority)
        let body = isChunked ? try chunks() : try sized(length)
        return .request(
            method: words[0], target: words[1], minorVersion: minor, keepAlive: keep,
            headers: fields.map { "\($0.name): \(String(decoding: $0.value, as: UTF8.self))" }, body: body)
    }

    private func checkFirst() throws {
        guard let byte = rest.first else { throw Unfinished() }
        guard byte == 13 || byte == 10 || ReferenceParser.isToken(Character(UnicodeScalar(byte))) else { throw Refusal() }
    }

    static func isToken(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "!#$%&'*+-.^_`|~".contains(character))
    }

    /// Returns the authority of the absolute form.
    private func checkTarget(_ target: String, _ method: String) throws -> String? {
        if target == "*", method == "OPTIONS" { return nil }
        var path = Substring(target)
        var authority: String?
        for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
            path = path.dropFirst(scheme.count)
            let end = path.firstIndex { $0 == "/" || $0 == "?" } ?? path.endIndex
            authority = String(path[..<end])
            path = path[end...]
        }
        if let authority, !isHost(authority) { throw Refusal() }
        guard path.hasPrefix("/") else { throw Refusal() }
        let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let pathCharacters = "-._~!$&'()*+,;=:@/%"
        guard parts[0].allSatisfy({ $0.isLetter || $0.isNumber || pathCharacters.contains($0) }) else { throw Refusal() }
        _ = try decode(parts[0])
        guard parts.count == 2 else { return authority }
        guard parts[1].allSatisfy({ $0.isLetter || $0.isNumber || (pathCharacters + "?[]\\^`{|}").contains($0) }) else { throw Refusal() }
        var names: [String] = []
        for pair in parts[1].split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            names.append(try decode(sides[0].replacing("+", with: "%20")))
            if sides.count == 2 { _ = try decode(sides[1]) }
        }
        guard names.count <= limits.queryParameterCountMax, Set(names.map { Array($0.utf8) }).count == names.count else { throw Refusal() }
        return authority
    }

    private func decode(_ text: Substring) throws -> String {
        var bytes: [UInt8] = []
        var rest = text
        while let character = rest.popFirst() {
            guard character == "%" else {
                bytes.append(contentsOf: String(character).utf8)
                continue
            }
            guard rest.count >= 2, rest.prefix(2).allSatisfy(\.isHexDigit), let byte = UInt8(rest.prefix(2), radix: 16), byte != 0
            else { throw Refusal() }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw Refusal() }
        return decoded
    }

    private mutating func fieldLines() throws -> [(name: String, value: [UInt8])] {
        var fields: [(name: String, value: [UInt8])] = []
        var left = limits.headerBytesMax
        while true {
            let line = try line(max: left)
            left -= line.count + 2
            if line.isEmpty { return fields }
            guard let colon = line.firstIndex(of: 58), colon > 0 else { throw Refusal() }
            let name = String(line[..<colon].map { Character(UnicodeScalar($0)) })
            guard name.unicodeScalars.allSatisfy({ ReferenceParser.isToken(Character($0)) }) else { throw Refusal() }
            var value = line[(colon + 1)...]
            while value.first == 32 || value.first == 9 { value.removeFirst() }
            while value.last == 32 || value.last == 9 { value.removeLast() }
            guard value.allSatisfy({ ($0 >= 32 || $0 == 9) && $0 != 127 }) else { throw Refusal() }
            fields.append((name, Array(value)))
            guard fields.count <= limits.headerCountMax else { throw Refusal() }
        }
    }

    private func framing(
        _ fields: [(name: String, value: [UInt8])], _ minor: UInt8, _ authority: String?
    ) throws -> (keep: Bool, isChunked: Bool, length: Int) {
        func values(_ name: String) -> [String] {
            fields.filter { $0.name.lowercased() == name }.map { String(decoding: $0.value, as: UTF8.self) }
        }
        let hosts = values("host")
        guard hosts.count == 1 || (hosts.isEmpty && minor == 0), hosts.allSatisfy(isHost) else { throw Refusal() }
        if let authority, let host = hosts.first, authority != host { throw Refusal() }
        guard values("expect").allSatisfy({ $0.lowercased() == "100-continue" }) else { throw Refusal() }
        let options = values("connection").flatMap { $0.split(separator: ",") }.map { option in
            option.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
        }.map { String($0).lowercased() }
        let keep = !options.contains("close") && (minor == 1 || options.contains("keep-alive"))
        let codings = values("transfer-encoding")
        let lengths = values("content-length")
        guard codings.count + lengths.count <= 1 else { throw Refusal() }
        if let coding = codings.first {
            guard coding.lowercased() == "chunked", minor == 1 else { throw Refusal() }
            return (keep, true, 0)
        }
        guard let length = lengths.first else { return (keep, false, 0) }
        guard !length.isEmpty, length.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int(length), value <= limits.bodyBytesMax
        else { throw Refusal() }
        return (keep, false, value)
    }

    private func isHost(_ text: String) -> Bool {
        let host: Substring
        let port: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            let address = text[text.index(after: text.startIndex)..<end]
            guard !address.isEmpty, address.allSatisfy({ ($0.isASCII && $0.isHexDigit) || $0 == ":" || $0 == "." }) else { return false }
            (host, port) = ("ip", text[text.index(after: end)...])
        } else {
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            (host, port) = (text[..<colon], text[colon...])
        }
        guard !host.isEmpty, port.isEmpty || port.hasPrefix(":"), port.utf8.count <= 6,
            port.dropFirst().utf8.allSatisfy({ (48...57).contains($0) })
        else { return false }
        var rest = host
        while let character = rest.popFirst() {
            if character == "%" {
                guard rest.count >= 2, rest.prefix(2).allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return false }
            } else if !(character.isASCII && (character.isLetter || character.isNumber || "-._~!$&'()*+,;=".contains(character))) {
                return false
            }
        }
        return true
    }

    private mutating func sized(_ count: Int) throws -> [UInt8] {
        guard rest.count >= count else { throw Unfinished() }
        defer { rest.removeFirst(count) }
        return Array(rest[..<count])
    }

    private mutating func chunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = String(try line(max: limits.chunkLineBytesMax).map { Character(UnicodeScalar($0)) })
            let digits = line.prefix { $0.isASCII && $0.isHexDigit }
            let trail = line.dropFirst(digits.count).drop { $0 == " " || $0 == "\t" }
            guard (1...16).contains(digits.count), trail.hasPrefix(";") || digits.count == line.count,
                trail.unicodeScalars.allSatisfy({ ($0.value >= 32 || $0.value == 9) && $0.value != 127 }),
                let size = UInt64(digits, radix: 16), size <= UInt64(limits.bodyBytesMax - body.count)
            else { throw Refusal() }
            if size == 0 {
                _ = try fieldLines()
                return body
            }
            body += try sized(Int(size))
            // Half of the CRLF is enough to see that it is wrong.
            if let byte = rest.first, byte != 13 { throw Refusal() }
            if rest.count > 1, rest[1] != 10 { throw Refusal() }
            _ = try sized(2)
        }
    }
}
