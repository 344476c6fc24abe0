/// A jq program as it is written, and the text that libjq compiles.
///
/// The program is put between brackets behind a line of our own, which clears the environment and binds the record's
/// variables if the program uses any.
struct JQSource: Sendable {
    /// A function that is refused, with the reason.
    struct Refusal: Hashable {
        let name: String
        let reason: String
        /// Where it stands in the program, in UTF-8 bytes.
        let offset: Int
    }

    /// What a program may use of the record beside its payload.
    static let variables = ["id", "key", "topic", "timestamp", "headers"]

    let program: String
    /// Whether the program's input is wrapped in an object with the variables.
    let usesVariables: Bool

    init(_ program: String) {
        self.program = program
        usesVariables = JQLexer.tokens(of: program).contains { placed in
            if case .variable(let name) = placed.token { Self.variables.contains(name) } else { false }
        }
    }

    /// What libjq compiles: one line, the program, one line.
    var text: String {
        let input = usesVariables
            ? ". as {payload: $__payload, id: $id, key: $key, topic: $topic, timestamp: $timestamp, headers: $headers} | $__payload | "
            : ""
        return "\(Self.prelude)\(input)(\n\(program)\n)"
    }

    /// libjq 1.6 ends the whole process on a code point that is none; `$ENV` and `env` would show secrets.
    private static let prelude =
        "{} as $ENV | def env: $ENV; def __implode: implode; "
        + "def implode: if type == \"array\" and all(.[]; type == \"number\" and . >= 0 and . <= 1114111 "
        + "and (. < 55296 or . > 57343)) then __implode else error(\"implode needs an array of code points\") end; "

    /// The first function or statement in the program that a transform cannot have.
    var refusal: Refusal? {
        let tokens = JQLexer.tokens(of: program)
        for (index, placed) in tokens.enumerated() {
            guard case .name(let name) = placed.token, let reason = Self.refused[name] else { continue }
            if isDefined(name, in: tokens) || isObjectKey(at: index, in: tokens) { continue }
            return Refusal(name: name, reason: reason, offset: placed.offset)
        }
        return unbalanced(tokens)
    }

    private static let refused: [String: String] = {
        let input = "a transform sees one record at a time"
        let modules = "a program cannot read other files"
        let output = "a program cannot write anything but its results"
        return [
            "input": input, "inputs": input, "input_line_number": input, "input_filename": input,
            "import": modules, "include": modules, "modulemeta": modules, "get_search_list": modules,
            "module": modules, "debug": output, "stderr": output,
        ]
    }()

    private func isDefined(_ name: String, in tokens: [JQLexer.Placed]) -> Bool {
        tokens.indices.dropLast().contains { index in
            tokens[index].token == .name("def") && tokens[index + 1].token == .name(name)
        }
    }

    /// `{input: 1}` and `{input}` are keys of an object.
    private func isObjectKey(at index: Int, in tokens: [JQLexer.Placed]) -> Bool {
        guard index > 0, index + 1 < tokens.count else { return false }
        let before = tokens[index - 1].token
        let after = tokens[index + 1].token
        guard before == .symbol(UInt8(ascii: "{")) || before == .symbol(UInt8(ascii: ",")) else { return false }
        if after == .symbol(UInt8(ascii: ":")) { return true }
        return innermostBracket(before: index, in: tokens) == UInt8(ascii: "{")
            && (after == .symbol(UInt8(ascii: ",")) || after == .symbol(UInt8(ascii: "}")))
    }

    private func innermostBracket(before index: Int, in tokens: [JQLexer.Placed]) -> UInt8? {
        var open: [UInt8] = []
        for placed in tokens[..<index] {
            guard case .symbol(let byte) = placed.token else { continue }
            if Self.closing[byte] != nil { open.append(byte) }
            if Self.closing.values.contains(byte) { _ = open.popLast() }
        }
        return open.last
    }

    private static let closing: [UInt8: UInt8] = [
        UInt8(ascii: "("): UInt8(ascii: ")"), UInt8(ascii: "["): UInt8(ascii: "]"), UInt8(ascii: "{"): UInt8(ascii: "}"),
    ]

    /// A bracket that closes nothing could close the one around the program.
    private func unbalanced(_ tokens: [JQLexer.Placed]) -> Refusal? {
        var open: [UInt8] = []
        for placed in tokens {
            guard case .symbol(let byte) = placed.token else { continue }
            if let expected = Self.closing[byte] { open.append(expected) }
            if Self.closing.values.contains(byte), open.popLast() != byte {
                let name = String(decoding: [byte], as: UTF8.self)
                return Refusal(name: name, reason: "it closes nothing", offset: placed.offset)
            }
        }
        return nil
    }
}
