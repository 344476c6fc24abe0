/// What a load driver sends and what becomes of the answers. All calls come from the driver's thread.
protocol Workload {
    /// The bytes of request `number`; valid until the next call.
    mutating func request(_ number: Int) -> UnsafeRawBufferPointer

    /// Whether there is a request `number`; false ends the sending.
    func hasRequest(_ number: Int) -> Bool

    /// - Parameters:
    ///   - sentAt: when it was due, at a rate; when it was sent, flat out.
    ///   - now: when the answer was read. Both in nanoseconds of the monotonic clock.
    mutating func answered(_ number: Int, status: Int, sentAt: Int64, now: Int64)

    /// A message came on an event stream.
    /// - Parameter number: the digits behind the driver's marker.
    mutating func received(_ number: Int, stream: Int, now: Int64)

    /// Whether all that was to come has come.
    var isComplete: Bool { get }
}
