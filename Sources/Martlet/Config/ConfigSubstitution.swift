/// Replaces `${env:NAME}`, `${env:NAME:-default}` and `${file:PATH}` inside the strings of a loaded config.
///
/// The default holds if the variable is not set or empty, as in a shell. A default and a path may hold substitutions of
/// their own (`${file:${env:CREDENTIALS_DIRECTORY}/token}`). A path is relative to the config file; one line break at
/// the file's end is removed. The text that is put in is escaped, so that nothing scans it again, and marked secret.
struct ConfigSubstitution {
    /// Bytes of a file that `${file:…}` names.
    private static let fileLimit = 1 << 20
    /// Substitutions inside each other.
    private static let depthLimit = 4

    /// A piece of the new text: its text, where it stood in the old one, and whether it was put in.
    private struct Part {
        var text: String
        var offset: Int
        var isLiteral: Bool
        var isSubstituted: Bool
    }

    /// Text that takes a substitution's place.
    private struct Replacement {
        var text: String
        var isSecret: Bool
    }

    /// Ends the work on one string after its problem was reported.
    private struct Stop: Error {}

    let environment: ConfigSource.Environment
    let problems: ConfigProblems

    /// The node with everything replaced in its strings; a string with a problem is reported and marked as broken.
    func apply(to node: JSONNode, path: ConfigPath) -> JSONNode {
        var copy = node
        switch node.kind {
        case .null, .bool, .number:
            break
        case .string(let source):
            guard source.utf8.contains(UInt8(ascii: "$")), let text = ConfigText(node: node, path: path) else { break }
            do throws(Stop) {
                copy = try replaced(node, text)
            } catch {
                copy.kind = .string("")
                copy.origin.isBroken = true
            }
        case .array(let items):
            copy.kind = .array(items.enumerated().map { apply(to: $0.element, path: path.appending($0.offset)) })
        case .object(var object):
            for index in object.members.indices {
                let memberPath = path.appending(object.members[index].key)
                checkKey(object.members[index], path: memberPath)
                object.members[index].value = apply(to: object.members[index].value, path: memberPath)
            }
            copy.kind = .object(object)
        }
        return copy
    }

    /// Keys are names that other places refer to: a substitution in one would be left as it is, so it is refused.
    private func checkKey(_ member: JSONObject.Member, path: ConfigPath) {
        guard member.key.contains("${env:") || member.key.contains("${file:") else { return }
        problems.report(
            .badSubstitution, at: ConfigPlace(path: path, position: member.keyPosition), "a key cannot hold a substitution",
            found: "`\(clipped(member.key))`")
    }

    private func replaced(_ node: JSONNode, _ text: ConfigText) throws(Stop) -> JSONNode {
        let pieces = text.pieces
        var parts: [Part] = []
        var isSecret = false
        for placed in pieces {
            let place = text.place(atSourceOffset: placed.offset)
            switch placed.piece {
            case .literal(let literal):
                parts.append(Part(text: literal, offset: placed.offset, isLiteral: true, isSubstituted: false))
            case .expression(let body):
                if let replacement = try replacement(of: body, at: place, depth: 0) {
                    isSecret = isSecret || replacement.isSecret
                    parts.append(Part(text: replacement.text, offset: placed.offset, isLiteral: true, isSubstituted: true))
                } else {
                    parts.append(Part(text: "${\(body)}", offset: placed.offset, isLiteral: false, isSubstituted: false))
                }
            case .unterminated(let rest):
                if Self.keyword(of: rest) != nil {
                    throw malformed("expected `}` at the end of a substitution", found: "${\(rest)", at: place)
                }
                parts.append(Part(text: "${\(rest)", offset: placed.offset, isLiteral: false, isSubstituted: false))
            }
        }
        guard parts.contains(where: \.isSubstituted) else { return node }
        var copy = joined(parts, node: node, text: text)
        copy.origin.isSecret = isSecret
        copy.origin.isWholeSubstitution = parts.count == 1
        return copy
    }

    /// Puts the parts together as template source, with the marks that lead back to the file.
    private func joined(_ parts: [Part], node: JSONNode, text: ConfigText) -> JSONNode {
        var sources: [String] = []
        var leadsToBrace = false
        for part in parts.reversed() {
            if part.isLiteral {
                sources.append(SubstitutionScanner.escape(part.text, leadsToBrace: &leadsToBrace))
            } else {
                sources.append(part.text)
                leadsToBrace = true
            }
        }
        var source = ""
        var marks: [JSONNode.TextOrigin.Mark] = []
        for (index, part) in parts.enumerated() {
            let start = source.utf8.count
            let column = text.place(atSourceOffset: part.offset).position.column
            marks.append(JSONNode.TextOrigin.Mark(offset: start, column: column, isSubstituted: part.isSubstituted))
            if !part.isSubstituted {
                let end = index + 1 < parts.count ? parts[index + 1].offset : Int.max
                marks += node.origin.marks.filter { $0.offset > part.offset && $0.offset < end }
                    .map { JSONNode.TextOrigin.Mark(offset: start + $0.offset - part.offset, column: $0.column) }
            }
            source += sources[parts.count - 1 - index]
        }
        var copy = node
        copy.kind = .string(source)
        copy.origin.marks = marks
        return copy
    }

    // MARK: One substitution

    /// The word before the colon of an expression's body, which no template has: `env` in `env:NAME`.
    private static func keyword(of body: String) -> Substring? {
        let word = body.utf8.prefix { SubstitutionScanner.isVariable($0) }
        guard !word.isEmpty, body.utf8[word.endIndex...].first == UInt8(ascii: ":") else { return nil }
        return body[..<word.endIndex]
    }

    /// What an expression is replaced with; nil if it is a template, to be compiled later.
    private func replacement(of body: String, at place: ConfigPlace, depth: Int) throws(Stop) -> Replacement? {
        guard let keyword = Self.keyword(of: body) else {
            if body.contains("${") {
                throw malformed("a substitution cannot stand inside a template", found: "${\(body)}", at: place)
            }
            return nil
        }
        guard depth < Self.depthLimit else {
            throw malformed("substitutions are nested deeper than \(Self.depthLimit) levels", found: nil, at: place)
        }
        let rest = String(body[keyword.endIndex...].dropFirst())
        switch keyword {
        case "env": return try variable(rest, at: place, depth: depth)
        case "file": return try file(rest, at: place, depth: depth)
        default:
            problems.report(
                .badSubstitution, at: place, "unknown substitution `\(clipped(String(keyword))):`",
                suggestion: Suggestion.nearest(to: String(keyword), among: ["env", "file"]).map { "`\($0):`" },
                choices: ConfigProblem.Choices("valid substitutions", ["${env:NAME}", "${env:NAME:-default}", "${file:PATH}"]))
            throw Stop()
        }
    }

    private func variable(_ rest: String, at place: ConfigPlace, depth: Int) throws(Stop) -> Replacement {
        let nameEnd = rest.utf8.firstIndex { !SubstitutionScanner.isVariable($0) } ?? rest.endIndex
        let name = String(rest[..<nameEnd])
        let tail = rest[nameEnd...]
        let isName = name.utf8.first.map { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
        guard isName, tail.isEmpty || tail.hasPrefix(":-") else {
            throw malformed("expected `${env:NAME}` or `${env:NAME:-default}`", found: "${env:\(rest)}", at: place)
        }
        let value = environment(name)
        if let value, tail.isEmpty || !value.isEmpty { return Replacement(text: value, isSecret: true) }
        guard tail.isEmpty else { return try expanded(String(tail.dropFirst(2)), at: place, depth: depth) }
        problems.report(
            .missingEnvironment, at: place, "the environment variable `\(name)` is not set",
            hint: "set it, or give a default: ${env:\(name):-default}")
        throw Stop()
    }

    private func file(_ rest: String, at place: ConfigPlace, depth: Int) throws(Stop) -> Replacement {
        let written = try expanded(rest, at: place, depth: depth)
        guard !written.text.isEmpty else { throw malformed("expected `${file:PATH}`", found: "${file:\(rest)}", at: place) }
        let path = ConfigFilePath.resolve(written.text, against: problems.file)
        // A path that came from the environment is not printed either.
        let name = written.isSecret ? "`${file:\(clipped(rest))}`" : "`\(path)`"
        func unreadable(_ reason: String) -> Stop {
            problems.report(.unreadableFile, at: place, "the file \(name) cannot be read: \(reason)")
            return Stop()
        }
        var bytes: [UInt8]
        do throws(ConfigFileReader.Failure) {
            bytes = try ConfigFileReader.read(path, limit: Self.fileLimit, allowsPipes: false)
        } catch {
            throw unreadable(error.reason)
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw unreadable("it is not UTF-8") }
        return Replacement(text: text, isSecret: true)
    }

    /// A default or a path, in which there may be substitutions but no templates.
    private func expanded(_ source: String, at place: ConfigPlace, depth: Int) throws(Stop) -> Replacement {
        var result = Replacement(text: "", isSecret: false)
        for placed in SubstitutionScanner.scan(source) {
            switch placed.piece {
            case .literal(let literal):
                result.text += literal
            case .expression(let body):
                guard let inner = try replacement(of: body, at: place, depth: depth + 1) else {
                    throw malformed("a template cannot stand inside a substitution", found: "${\(body)}", at: place)
                }
                result.text += inner.text
                result.isSecret = result.isSecret || inner.isSecret
            case .unterminated(let rest):
                throw malformed("expected `}` at the end of a substitution", found: "${\(rest)", at: place)
            }
        }
        return result
    }

    private func malformed(_ message: String, found: String?, at place: ConfigPlace) -> Stop {
        problems.report(
            .badSubstitution, at: place, message, found: found.map { "`\(clipped($0))`" },
            hint: "write $${ for a literal ${")
        return Stop()
    }
}
