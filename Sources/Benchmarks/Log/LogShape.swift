/// How appends are made in one measurement.
struct LogShape {
    let producers: Int
    /// Appends that each producer has under way at a time.
    var underWay = 1
    let batch: Int
    let partitions: Int

    /// Bytes of one event's value.
    static let valueBytes = 200

    var label: String {
        let pipeline = underWay == 1 ? "" : " with \(underWay) under way"
        return "\(producers) producer\(producers == 1 ? "" : "s")\(pipeline), batches of \(batch)"
    }
}
