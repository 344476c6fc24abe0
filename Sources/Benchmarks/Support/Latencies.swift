/// Latencies in nanoseconds, all of them kept, so that percentiles are exact.
struct Latencies {
    private var values: [Int64] = []

    init(capacity: Int = 0) {
        values.reserveCapacity(capacity)
    }

    init(_ values: [Int64]) {
        self.values = values
    }

    var count: Int { values.count }

    mutating func add(_ nanoseconds: Int64) {
        values.append(nanoseconds)
    }

    /// The values in rising order, for `Sorted.percentile`.
    func sorted() -> Sorted { Sorted(values: values.sorted()) }

    /// Latencies in rising order.
    struct Sorted {
        static let none = Sorted(values: [])

        fileprivate let values: [Int64]

        /// The smallest value that `share` (0...1) of all do not exceed, in milliseconds; 0 if there is none.
        func percentile(_ share: Double) -> Double {
            guard !values.isEmpty else { return 0 }
            let rank = Int((share * Double(values.count)).rounded(.up))
            return Double(values[min(max(rank, 1), values.count) - 1]) / 1e6
        }
    }
}
