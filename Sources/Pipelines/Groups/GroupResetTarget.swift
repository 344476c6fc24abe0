package import Martlet

/// Where a reset takes a group.
package enum GroupResetTarget: Sendable, Hashable {
    case earliest
    case latest
    /// The offset of the next record to consume.
    case offset(Offset)
    /// The first record at or after a time, in milliseconds since the epoch.
    case time(Int64)

    /// The offset in one partition, which may lie outside of what it has.
    func offset(in place: GroupPartition, available: Range<Offset>, log: any EventLog) async throws -> Offset {
        switch self {
        case .earliest: available.lowerBound
        case .latest: available.upperBound
        case .offset(let offset): offset
        case .time(let time): try await log.offset(topic: place.topic, partition: place.partition, at: time)
        }
    }
}
