/// A set of outbox sequences, kept as ranges: those of transactions that follow each other are one.
struct SequenceRanges: Sendable {
    /// Ascending, with gaps between them.
    private var ranges: [ClosedRange<Int64>] = []

    var count: Int { ranges.count }
    var last: Int64? { ranges.last?.upperBound }

    /// Sequences that come after all that are in the set.
    mutating func append(_ range: ClosedRange<Int64>) {
        if let last = ranges.last, last.upperBound + 1 == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound...range.upperBound
        } else {
            ranges.append(range)
        }
    }

    /// Takes one out; false if it is not in the set.
    mutating func remove(_ sequence: Int64) -> Bool {
        guard let index = ranges.firstIndex(where: { $0.upperBound >= sequence }), ranges[index].contains(sequence) else { return false }
        let range = ranges[index]
        var rest: [ClosedRange<Int64>] = []
        if range.lowerBound < sequence { rest.append(range.lowerBound...sequence - 1) }
        if sequence < range.upperBound { rest.append(sequence + 1...range.upperBound) }
        ranges.replaceSubrange(index...index, with: rest)
        return true
    }

    /// Takes out all up to this one.
    mutating func remove(through sequence: Int64) {
        ranges = ranges.compactMap { range in
            range.upperBound > sequence ? max(range.lowerBound, sequence + 1)...range.upperBound : nil
        }
    }
}
