import Dispatch

/// Runs blocking calls off the cooperative pool.
enum BlockingWork {
    private static let queue = DispatchQueue(label: "martlet.blocking", attributes: .concurrent)

    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
