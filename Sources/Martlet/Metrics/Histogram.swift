import Synchronization

/// Counts durations in buckets from 0.1 ms to 10 s.
public final class Histogram: Sendable {
    /// Upper bounds of the buckets in microseconds.
    static let bounds = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 10_000_000]
    private static let boundTexts = bounds.map { String(Double($0) / 1_000_000) }

    private final class Cell: Sendable {
        let count = Atomic<Int>(0)
    }

    private let cells = (0...Histogram.bounds.count).map { _ in Cell() }
    private let sumMicroseconds = Atomic<Int>(0)

    init() {}

    /// Counts one duration.
    public func record(_ duration: Duration) {
        let parts = duration.components
        let microseconds = Int(parts.seconds) * 1_000_000 + Int(parts.attoseconds / 1_000_000_000_000)
        let bucket = Self.bounds.firstIndex { microseconds <= $0 } ?? Self.bounds.count
        cells[bucket].count.wrappingAdd(1, ordering: .relaxed)
        sumMicroseconds.wrappingAdd(microseconds, ordering: .relaxed)
    }
}

extension Histogram: Metric {
    func render(_ name: String, _ labels: String, into text: inout String) {
        let prefix = labels.isEmpty ? "" : labels + ","
        let suffix = labels.isEmpty ? "" : "{\(labels)}"
        var total = 0
        for (index, cell) in cells.enumerated() {
            total += cell.count.load(ordering: .relaxed)
            let bound = index < Self.bounds.count ? Self.boundTexts[index] : "+Inf"
            text += "\(name)_bucket{\(prefix)le=\"\(bound)\"} \(total)\n"
        }
        text += "\(name)_sum\(suffix) \(Double(sumMicroseconds.load(ordering: .relaxed)) / 1_000_000)\n"
        text += "\(name)_count\(suffix) \(total)\n"
    }
}
