import Martlet

/// A command's arguments, parsed.
struct Arguments: Sendable {
    private var values: [String: [String]] = [:]
    /// What is not an option, in order.
    private(set) var positional: [String] = []
    private(set) var wantsHelp = false

    /// Parses `--name value`, `--name=value`, `--flag` and words; `--` ends the options.
    init(_ words: [String], options: [CommandOption]) throws(UsageError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                positional += rest
                return
            }
            if word == "--help" || word == "-h" {
                wantsHelp = true
                continue
            }
            guard word.hasPrefix("-"), word != "-" else {
                positional.append(word)
                continue
            }
            try parse(word, &rest, options)
        }
    }

    private mutating func parse(_ word: String, _ rest: inout ArraySlice<String>, _ options: [CommandOption]) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = String(parts[0].drop { $0 == "-" })
        guard word.hasPrefix("--"), let option = options.first(where: { $0.name == name }) else {
            let guess = Suggestion.question(for: name, among: options.map(\.name)) { "--\($0)" }
            throw UsageError("unknown option \(parts[0])\(guess)")
        }
        guard option.value != nil else {
            if parts.count == 2 { throw UsageError("--\(name) takes no value") }
            values[name] = [""]
            return
        }
        guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
            throw UsageError("--\(name) needs a value: --\(name) \(option.value ?? "VALUE")")
        }
        if values[name] != nil, !option.isRepeatable { throw UsageError("--\(name) is given twice") }
        values[name, default: []].append(value)
    }

    func has(_ flag: String) -> Bool { values[flag] != nil }

    func value(_ option: String) -> String? { values[option]?.last }

    func all(_ option: String) -> [String] { values[option] ?? [] }

    /// A whole number in a range.
    func integer(_ option: String, default fallback: Int, in range: ClosedRange<Int>) throws(UsageError) -> Int {
        guard let text = value(option) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError("--\(option) must be a number from \(range.lowerBound) to \(range.upperBound), found \(text)")
        }
        return number
    }
}

/// Wrong usage of the command line.
struct UsageError: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}
