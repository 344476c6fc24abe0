import Martlet
import Synchronization

/// What one subscription received, waited for with a deadline.
final class Inbox: Sendable {
    struct TooLate: Error, CustomStringConvertible {
        let description: String
    }

    /// A delivery, in short.
    enum Item: Equatable, CustomStringConvertible {
        case message(String)
        case gap

        var description: String {
            switch self {
            case .message(let text): text
            case .gap: "(gap)"
            }
        }
    }

    private struct State {
        var items: [Item] = []
        var messages: [Message] = []
        var waiter: (isDone: @Sendable ([Item]) -> Bool, continuation: CheckedContinuation<Bool, Never>)?
    }

    private let state = Mutex(State())

    var messages: [Message] { state.withLock { $0.messages } }
    var items: [Item] { state.withLock { $0.items } }

    /// To be given to `subscribe`.
    var receive: @Sendable (Delivery) -> Void {
        { [self] delivery in
            let done = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                switch delivery {
                case .gap: state.items.append(.gap)
                case .messages(let messages):
                    state.items += messages.map { .message($0.record.event.payload.string) }
                    state.messages += messages
                }
                guard let waiter = state.waiter, waiter.isDone(state.items) else { return nil }
                state.waiter = nil
                return waiter.continuation
            }
            done?.resume(returning: true)
        }
    }

    /// Returns what has come once it is enough; throws after 20 s.
    @discardableResult
    func wait(until isDone: @escaping @Sendable ([Item]) -> Bool) async throws -> [Item] {
        let deadline = Task {
            try await Task.sleep(for: .seconds(20))
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.continuation.resume(returning: false)
        }
        defer { deadline.cancel() }
        let isInTime = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            let isThere = state.withLock { state in
                if isDone(state.items) { return true }
                state.waiter = (isDone, continuation)
                return false
            }
            if isThere { continuation.resume(returning: true) }
        }
        guard isInTime else { throw TooLate(description: "received only \(items)") }
        return items
    }

    @discardableResult
    func wait(for count: Int) async throws -> [Item] {
        try await wait { $0.count >= count }
    }
}

/// What ``eventually(_:)`` waits for is not so yet.
struct NotYet: Error, CustomStringConvertible {
    let description: String

    /// Throws unless the condition holds.
    static func unless(_ condition: Bool, _ found: String = "") throws {
        if !condition { throw NotYet(description: "not yet: \(found)") }
    }
}

/// Tries until it succeeds; throws the last error after 20 s.
func eventually<Value>(_ body: () async throws -> Value) async throws -> Value {
    let deadline = ContinuousClock.now + .seconds(20)
    while true {
        do {
            return try await body()
        } catch {
            guard ContinuousClock.now < deadline else { throw error }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

extension Message {
    /// A message as a group publishes it.
    static func sample(_ payload: String, offset: Offset = 0, key: Bytes? = "bob") -> Message {
        Message(
            record: Record(
                topic: "notifications", partition: 2, offset: offset,
                event: Event(id: Bytes("id-\(offset)"), key: key, payload: Bytes(payload), timestamp: 1_700_000_000_000)),
            previousOffset: offset - 1)
    }
}
