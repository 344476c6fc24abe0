/// One of `martlet bench`. It blocks its thread.
package protocol Benchmark: Sendable {
    /// - Throws: ``BenchmarkError`` if it could not be run to its end.
    func run() throws -> BenchmarkReport
}

extension Benchmark {
    /// Runs it on a thread of its own: the child processes it starts are killed when that thread ends.
    package func runOnOwnThread() async throws -> BenchmarkReport {
        try await withCheckedThrowingContinuation { continuation in
            do {
                _ = try WorkerThread {
                    Limits.raise()
                    continuation.resume(with: Result { try run() })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
