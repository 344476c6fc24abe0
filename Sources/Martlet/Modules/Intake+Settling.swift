extension Intake {
    /// Hands inputs over and waits until each is settled: those that cannot be taken now are tried again, with backoff, for as
    /// long as it takes. For sources that read a place which keeps what they have not moved past.
    ///
    /// - Parameter waiting: told why inputs wait, at the first try and then ever more rarely.
    /// - Returns: the error of each input that was rejected, by its index.
    /// - Throws: `CancellationError`, once none is under way; some may then have been taken.
    package func settle(
        _ inputs: [SourceInput], waiting: (ModuleError) -> Void = { _ in }
    ) async throws -> [Int: ModuleError] {
        var rejected: [Int: ModuleError] = [:]
        var left = Array(inputs.indices)
        var backoff = Backoff()
        var attempts = 0
        while !left.isEmpty {
            try Task.checkCancellation()
            let batch = left.map { inputs[$0] }
            let outcomes = await withCheckedContinuation { continuation in
                accept(batch) { continuation.resume(returning: $0) }
            }
            var again: [Int] = []
            var reason: (error: ModuleError, wait: Duration)?
            for (index, outcome) in zip(left, outcomes) {
                switch outcome {
                case .saved, .unchanged, .published, .sent, .filtered: break
                case .rejected(let error): rejected[index] = error
                case .conflict: rejected[index] = .permanent("source.conflict", "the idempotency key was used for another body")
                case .unavailable(let error, let wait):
                    again.append(index)
                    reason = reason ?? (error, wait)
                }
            }
            left = again
            guard let reason else { continue }
            attempts += 1
            if attempts & (attempts - 1) == 0 { waiting(reason.error) }
            try await Task.sleep(for: backoff.next(atLeast: min(reason.wait, .seconds(1))))
        }
        return rejected
    }
}
