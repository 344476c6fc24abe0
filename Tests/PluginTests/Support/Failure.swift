import Martlet

/// The error that the work throws; nil if it throws none, or another one.
func failure(_ work: () async throws -> Void) async -> ModuleError? {
    do {
        try await work()
        return nil
    } catch {
        return error as? ModuleError
    }
}
