import Synchronization

/// Collects every problem of one config, so that all are reported at once.
///
/// Any thread may report. At most ``limit`` problems are kept; further ones are counted and the report says how many.
public final class ConfigProblems: Sendable {
    /// How many problems are kept.
    public static let limit = 1_000

    private struct State {
        var kept: [ConfigProblem] = []
        var dropped = 0
    }

    /// The config file's path as the user gave it.
    public let file: String
    private let state = Mutex(State())

    /// An empty report on a file, named by its path as the user gave it.
    public init(file: String) {
        self.file = file
    }

    /// Adds a problem; past the limit it is only counted.
    public func report(_ problem: ConfigProblem) {
        state.withLock { state in
            if state.kept.count < ConfigProblems.limit {
                state.kept.append(problem)
            } else {
                state.dropped += 1
            }
        }
    }

    /// Reports a problem of this config's file.
    public func report(
        _ code: ConfigProblem.Code, at place: ConfigPlace, _ message: String, found: String? = nil,
        suggestion: String? = nil, choices: ConfigProblem.Choices? = nil, hint: String? = nil
    ) {
        report(
            ConfigProblem(
                code: code, file: file, position: place.position, path: place.path, message: message,
                found: found, suggestion: suggestion, choices: choices, hint: hint))
    }

    /// Reports a name that nothing answers to (a key, a module type, a topic), with the nearest one as suggestion.
    ///
    /// - Parameters:
    ///   - what: what the name is, such as `sink type` or `topic`.
    ///   - name: what was written; leave it out of `names`.
    ///   - names: what could have been written, listed under `title`.
    public func reportUnknown(
        _ what: String, _ name: String, code: ConfigProblem.Code, at place: ConfigPlace,
        among names: [String], title: String
    ) {
        report(
            code, at: place, "unknown \(what) `\(clipped(name))`",
            suggestion: Suggestion.nearest(to: name, among: names).map { "`\($0)`" },
            choices: ConfigProblem.Choices(title, names))
    }

    /// Reports a written value that names nothing; a secret is not printed. A placeholder is no problem of its own.
    public func reportUnknown(
        _ what: String, _ name: ConfigText, code: ConfigProblem.Code = .unknownReference, among names: [String],
        title: String
    ) {
        if name.isPlaceholder { return }
        if name.isSecret {
            report(code, at: name.place, "unknown \(what) (hidden)", choices: ConfigProblem.Choices(title, names))
        } else {
            reportUnknown(what, name.plain, code: code, at: name.place, among: names, title: title)
        }
    }

    /// Whether nothing was reported.
    public var isEmpty: Bool { count == 0 }

    /// All problems reported so far, those past the limit included.
    public var count: Int {
        state.withLock { $0.kept.count + $0.dropped }
    }

    /// The kept problems in the order of their positions.
    public var sorted: [ConfigProblem] {
        let kept = state.withLock { $0.kept }
        return kept.enumerated()
            .sorted { ($0.element.position, $0.offset) < ($1.element.position, $1.offset) }
            .map(\.element)
    }

    /// The report for people: each problem in full, in the order of the file.
    public var text: String {
        var lines = sorted.map(\.description)
        let dropped = state.withLock { $0.dropped }
        if dropped > 0 { lines.append("and \(dropped) more problems") }
        return lines.joined(separator: "\n")
    }

    /// The report for tools: `{"problems": […], "count": N}`.
    public var json: JSONNode {
        .object([
            ("problems", .array(sorted.map(\.json))),
            ("count", .integer(Int64(count))),
        ])
    }

    /// Throws everything that was reported, if anything was.
    public func throwIfAny() throws(ConfigError) {
        if !isEmpty { throw ConfigError(problems: sorted) }
    }
}

/// A text short enough for one line of a report.
func clipped(_ text: String, to limit: Int = 60) -> String {
    let scalars = text.unicodeScalars
    guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex), end < scalars.endIndex
    else { return text }
    return String(scalars[..<end]) + "…"
}
