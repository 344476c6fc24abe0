import Foundation

/// A condition did not come about in time, or a client saw something that it cannot go on with.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Asks again and again until there is an answer; throws after the deadline.
@discardableResult
package func eventually<Value>(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation,
    _ probe: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try await probe() { return value }
        guard ContinuousClock.now < deadline else { throw TestFailure("not within \(limit): \(what())") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Waits until a condition holds.
package func eventually(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation,
    isTrue condition: () async throws -> Bool
) async throws {
    try await eventually(what(), within: limit) { try await condition() ? true : nil }
}

/// Runs work that blocks on a thread of its own.
package func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: work)) }
    }
}

/// Runs the same blocking work on several threads at once; returns when all are done.
package func onThreads<Value: Sendable>(
    _ count: Int, _ work: @escaping @Sendable (Int) throws -> Value
) async throws -> [Value] {
    try await withThrowingTaskGroup(of: (Int, Value).self) { tasks in
        for index in 0..<count { tasks.addTask { (index, try await onThread { try work(index) }) } }
        var values: [(Int, Value)] = []
        for try await value in tasks { values.append(value) }
        return values.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
