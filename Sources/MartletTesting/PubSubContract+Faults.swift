import Glibc
import Martlet
import Synchronization

extension PubSubContract {
    func verifyHosts() async throws {
        guard isShared else { return }
        let promise = Promise("what one host publishes reaches the subscribers of another")
        try await withBus { here in
            try await withBus { there in
                let inbox = try await Inbox(there, "hosts")
                try await here.publish(records.messages(0..<10), to: "hosts")
                try await arrival(of: 10, in: inbox, promise)
                try promise.require("offsets", inbox.offsets, is: (0..<10).map(Offset.init))
                inbox.cancel()
            }
        }
    }

    func verifyLostConnections() async throws {
        guard let breakConnections else { return }
        let promise = Promise("after a lost connection the bus mends itself; a subscriber has missed nothing, or hears of a gap")
        try await withBus { bus in
            let inbox = try await Inbox(bus, "lost")
            try await bus.publish(records.messages(0..<1), to: "lost")
            try await arrival(of: 1, in: inbox, promise)
            for round in 1...3 {
                let number = round * 10
                try await breakConnections()
                try await publish(records.messages(number..<number + 10), to: "lost", on: bus, promise)
                // Whatever was lost, later messages arrive again.
                try await patience.until("a message after the connection was lost", promise) {
                    try await publish(records.messages(number + 9..<number + 10), to: "lost", on: bus, promise)
                    return inbox.offsets.contains(Offset(number + 9))
                }
                let missing = (number..<number + 10).map(Offset.init).filter { !Set(inbox.offsets).contains($0) }
                try promise.require(
                    missing.isEmpty || inbox.gaps > 0, "the offsets \(missing) are missing, and no gap was told")
            }
            inbox.cancel()
        }
    }

    /// Publishes as the platform does: a transient failure is tried again.
    private func publish(_ messages: [Message], to channel: String, on bus: any PubSub, _ promise: Promise) async throws {
        let deadline = ContinuousClock.now + patience.limit
        while true {
            do {
                return try await bus.publish(messages, to: channel)
            } catch let error as ModuleError {
                try promise.require(error.kind == .transient, "the error of a lost connection is \(error.kind.rawValue): \(error)")
                try promise.require(.now < deadline, "publish fails again and again: \(error)")
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    func verifyCancelledPublish() async throws {
        let promise = Promise("`publish` ends when its task is cancelled, and works again after that")
        try await withBus { bus in
            let inbox = try await Inbox(bus, "cancelled")
            let batch = records.messages(0..<10)
            try await patience.runCancelled("publish in a cancelled task", promise) { try await bus.publish(batch, to: "cancelled") }
            let again = records.messages(10..<20)
            try await patience.run("publish after that", promise) { try await bus.publish(again, to: "cancelled") }
            try await patience.until("the messages published after that", promise) { inbox.offsets.suffix(10) == again.map(\.record.offset)[...] }
            inbox.cancel()
        }
    }
}

/// What one subscription received.
final class Inbox: Sendable {
    private struct State {
        var messages: [Message] = []
        var gaps = 0
        var overlaps = 0
        var isReceiving = false
    }

    private let box = Box()
    private let subscription: Subscription

    private final class Box: Sendable {
        let state = Mutex(State())

        func receive(_ delivery: Delivery) {
            state.withLock { state in
                if state.isReceiving { state.overlaps += 1 }
                state.isReceiving = true
            }
            // A second call, if there may be one, gets its chance to come in between.
            sched_yield()
            state.withLock { state in
                switch delivery {
                case .messages(let messages): state.messages += messages
                case .gap: state.gaps += 1
                }
                state.isReceiving = false
            }
        }
    }

    init(_ bus: any PubSub, _ channel: String) async throws {
        subscription = try await bus.subscribe(to: channel) { [box] in box.receive($0) }
    }

    var messages: [Message] { box.state.withLock { $0.messages } }
    var offsets: [Offset] { messages.map(\.record.offset) }
    var gaps: Int { box.state.withLock { $0.gaps } }
    var overlaps: Int { box.state.withLock { $0.overlaps } }

    func cancel() {
        subscription.cancel()
    }
}

extension Message {
    /// All that can be seen of the message, for comparing; the topic is that of the bus's channel on some buses.
    var fingerprint: String {
        let payload = record.event.payload.count > 100 ? "\(record.event.payload.count) bytes" : "\(record.event.payload)"
        var small = record
        small.event.payload = Bytes(payload)
        return "\(small.fingerprint) previous=\(previousOffset.map { "\($0)" } ?? "-") last=\(isLast)"
    }
}
