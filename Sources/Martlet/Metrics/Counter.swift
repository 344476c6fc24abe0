import Synchronization

/// A number that only grows.
public final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    init() {}

    /// Adds a non-negative amount.
    public func add(_ amount: Int = 1) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    /// The sum so far.
    public var value: Int { count.load(ordering: .relaxed) }
}

extension Counter: Metric {
    func render(_ name: String, _ labels: String, into text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}
