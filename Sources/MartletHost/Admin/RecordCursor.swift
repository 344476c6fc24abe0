import Martlet

/// Where a reader stands in each partition that it reads: `0:42,1:17`, partition and next offset.
struct RecordCursor: Sendable, Hashable {
    /// One partition and the next offset to read there.
    struct Position: Sendable, Hashable {
        let partition: PartitionID
        var next: Offset
    }

    var positions: [Position]

    init(_ positions: [Position]) {
        self.positions = positions
    }

    /// Nil if the text is no cursor.
    init?(_ text: String) {
        var positions: [Position] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: ":", omittingEmptySubsequences: false)
            guard pair.count == 2, let partition = PartitionID(pair[0]), let next = Offset(pair[1]), partition >= 0, next >= 0,
                !positions.contains(where: { $0.partition == partition })
            else { return nil }
            positions.append(Position(partition: partition, next: next))
        }
        self.positions = positions
    }

    var text: String {
        positions.map { "\($0.partition):\($0.next)" }.joined(separator: ",")
    }
}
