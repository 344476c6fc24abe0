import Synchronization

/// A number that goes up and down.
public final class Gauge: Sendable {
    private let current = Atomic<Int>(0)

    init() {}

    /// Replaces the value.
    public func set(_ value: Int) {
        current.store(value, ordering: .relaxed)
    }

    /// Adds an amount, which may be negative.
    public func add(_ amount: Int) {
        current.wrappingAdd(amount, ordering: .relaxed)
    }

    /// The value now.
    public var value: Int { current.load(ordering: .relaxed) }
}

extension Gauge: Metric {
    func render(_ name: String, _ labels: String, into text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}
