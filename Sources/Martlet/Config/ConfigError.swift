/// A config that cannot be used, with all its problems in the order of the file.
public struct ConfigError: Error, Sendable, CustomStringConvertible {
    /// Every problem, in the order of the file.
    public let problems: [ConfigProblem]

    /// Wraps a report, see ``ConfigProblems/throwIfAny()``.
    public init(problems: [ConfigProblem]) {
        self.problems = problems
    }

    /// The whole report.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
