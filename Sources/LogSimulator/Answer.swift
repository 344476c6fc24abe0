import EmbeddedLog
import Synchronization

/// Where a completion leaves its result; a history drives the log on one thread.
final class Answer<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, LogError>?>(nil)

    func set(_ value: Result<Value, LogError>) { result.withLock { $0 = value } }
    func get() -> Result<Value, LogError>? { result.withLock { $0 } }
}
