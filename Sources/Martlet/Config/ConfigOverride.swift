/// One `--set NAME=VALUE`: a value put into the config from the command line.
///
/// `NAME` is a dotted path (`groups.store.batch_events`) or, beginning with `/`, a JSON Pointer (`/topics/a.b/partitions`);
/// in a list it is an index, and `-` or the index behind the last appends. Objects that are not there are made.
/// `VALUE` is JSON if it parses as that, else a string.
struct ConfigOverride {
    private let keys: [String]
    private let value: JSONNode
    /// The option as typed, which stands for file and line in problems of the value.
    private let option: String
    private let path: ConfigPath

    private var position: SourcePosition { SourcePosition(line: 1, column: 1, option: option) }

    /// - Parameter text: what follows `--set`.
    /// - Returns: nil if it is malformed, which is reported.
    static func parse(_ text: String, problems: ConfigProblems) -> ConfigOverride? {
        let option = "--set \(clipped(text, to: 100))"
        func malformed(_ message: String) -> ConfigOverride? {
            let position = SourcePosition(line: 1, column: 1, option: option)
            problems.report(
                .badOverride, at: ConfigPlace(path: .root, position: position), message,
                hint: "for example: --set host.listen=127.0.0.1:9000, or --set /topics/a.b/partitions=4")
            return nil
        }
        guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else { return malformed("expected NAME=VALUE") }
        let name = text[..<equals]
        guard !name.isEmpty else { return malformed("expected a name before `=`") }
        let keys: [String]
        if name.hasPrefix("/") {
            guard let unescaped = pointerKeys(name) else { return malformed("expected `~0` or `~1` after `~` in a JSON Pointer") }
            keys = unescaped
        } else {
            keys = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard !keys.contains("") else { return malformed("expected a key between the dots of the name") }
        }
        let valueText = String(text[text.utf8.index(after: equals)...])
        return ConfigOverride(
            keys: keys, value: value(valueText, option: option, problems: problems), option: option,
            path: ConfigPath(keys.map { .key($0) }))
    }

    /// Puts the value into the config, or reports why there is no such place.
    func apply(to root: inout JSONNode, problems: ConfigProblems) {
        set(keys[...], in: &root, path: .root, problems: problems)
    }

    private func set(_ rest: ArraySlice<String>, in node: inout JSONNode, path: ConfigPath, problems: ConfigProblems) {
        guard let key = rest.first else {
            node = value
            return
        }
        switch node.kind {
        case .object(var object):
            if let index = object.members.firstIndex(where: { $0.key == key }) {
                set(rest.dropFirst(), in: &object.members[index].value, path: path.appending(key), problems: problems)
            } else {
                let member = JSONObject.Member(key: key, keyPosition: position, value: wrapped(in: rest.dropFirst()))
                object.members.append(member)
            }
            node.kind = .object(object)
        case .array(var items):
            let index = key == "-" ? items.count : Int(key) ?? -1
            guard (0...items.count).contains(index), key == "-" || key == "\(index)" else {
                report("the list `\(path)` has no item `\(key)`", hint: "it has \(items.count), counted from 0; `-` appends one", problems)
                return
            }
            if index == items.count {
                items.append(wrapped(in: rest.dropFirst()))
            } else {
                set(rest.dropFirst(), in: &items[index], path: path.appending(index), problems: problems)
            }
            node.kind = .array(items)
        case .null, .bool, .number, .string:
            report("`\(path)` is neither an object nor a list, so it has no `\(key)`", hint: nil, problems)
        }
    }

    /// The value inside new objects with these keys.
    private func wrapped(in keys: ArraySlice<String>) -> JSONNode {
        keys.reversed().reduce(value) { inner, key in
            let member = JSONObject.Member(key: key, keyPosition: position, value: inner)
            return JSONNode(.object(JSONObject(members: [member])), position: position)
        }
    }

    private func report(_ message: String, hint: String?, _ problems: ConfigProblems) {
        problems.report(.badOverride, at: ConfigPlace(path: path, position: position), message, hint: hint)
    }

    private static func value(_ text: String, option: String, problems: ConfigProblems) -> JSONNode {
        let scratch = ConfigProblems(file: problems.file)
        if let node = JSONReader.read(Array(text.utf8), limits: JSONReader.Limits(), problems: scratch, option: option) {
            // What is left are duplicate keys: they are problems of JSON that does parse.
            scratch.sorted.forEach { problems.report($0) }
            return node
        }
        return JSONNode(.string(text), position: SourcePosition(line: 1, column: 1, option: option))
    }

    private static func pointerKeys(_ pointer: Substring) -> [String]? {
        var keys: [String] = []
        for token in pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            var key = ""
            var isEscape = false
            for character in token {
                switch (isEscape, character) {
                case (true, "0"): key.append("~")
                case (true, "1"): key.append("/")
                case (true, _): return nil
                case (false, "~"): break
                case (false, _): key.append(character)
                }
                isEscape = !isEscape && character == "~"
            }
            if isEscape { return nil }
            keys.append(key)
        }
        return keys
    }
}
