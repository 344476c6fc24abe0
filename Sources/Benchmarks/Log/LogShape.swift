/// How appends are made in one measurement.
struct LogShape {
    let producers: Int
    let batch: Int
    let partitions: Int
    /// Bytes of one event's value.
    static let valueBytes = 200
}
