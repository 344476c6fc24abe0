import Martlet
import MartletTesting
import Testing

/// A module that is right but for one flaw, and the promise of its contract that the flaw breaks.
protocol Flaw: CaseIterable, Sendable, CustomStringConvertible, RawRepresentable where RawValue == String {
    /// Words of the broken promise, or of what was found; nil if there is no flaw.
    var broken: String? { get }
}

extension Flaw {
    var description: String { rawValue }
}

/// Runs a contract on a module with a flaw: it must fail, and for the right reason. Without a flaw it must pass.
func expectBroken(_ flaw: some Flaw, sourceLocation: SourceLocation = #_sourceLocation, _ verify: () async throws -> Void) async {
    do {
        try await verify()
        #expect(flaw.broken == nil, "the flaw was not seen", sourceLocation: sourceLocation)
    } catch let violation as ContractViolation {
        guard let broken = flaw.broken else {
            Issue.record("a good module was refused: \(violation)", sourceLocation: sourceLocation)
            return
        }
        #expect(violation.description.contains(broken), "\(violation)", sourceLocation: sourceLocation)
    } catch {
        #expect(flaw.broken.map { "\(error)".contains($0) } ?? false, "the contract threw \(error)", sourceLocation: sourceLocation)
    }
}

/// The config of modules that only tests make.
struct NoConfig: ModuleConfig {
    init(from fields: inout ConfigFields) {}
}

/// Waits for ever, also if the task is cancelled.
func hang() async {
    await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
}
