import Martlet

/// One promise of a contract, and the means to say how it was broken.
struct Promise {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    /// Throws a violation unless the condition holds.
    func require(_ condition: Bool, _ finding: @autoclosure () -> String) throws {
        if !condition { throw ContractViolation(text, finding()) }
    }

    /// Throws a violation unless both are equal; says both.
    func require<Value: Equatable>(_ what: String, _ found: Value, is expected: Value) throws {
        try require(found == expected, "\(what): expected \(expected), found \(found)")
    }

    /// The error that `work` throws; a violation if it throws none, or one that is no ``ModuleError``.
    @discardableResult
    func requireError(
        _ kind: ModuleError.Kind? = nil, code: String? = nil, from what: String, _ work: () async throws -> Void
    ) async throws -> ModuleError {
        do {
            try await work()
        } catch let error as ModuleError {
            if let kind { try require("kind of the error of \(what) (\(error))", error.kind, is: kind) }
            if let code { try require("code of the error of \(what) (\(error))", error.code, is: code) }
            try require(!error.message.isEmpty, "the error of \(what) has no message")
            return error
        } catch {
            throw ContractViolation(text, "\(what) threw \(error), which is no ModuleError")
        }
        throw ContractViolation(text, "\(what) should have failed, and did not")
    }
}
