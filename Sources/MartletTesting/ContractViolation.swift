/// A module does not do what its protocol promises.
public struct ContractViolation: Error, Sendable, CustomStringConvertible {
    /// The promise, as a sentence.
    public let promise: String
    /// What was seen instead.
    public let finding: String

    public init(_ promise: String, _ finding: String) {
        self.promise = promise
        self.finding = finding
    }

    public var description: String { "promise broken: \(promise)\n  \(finding)" }
}
