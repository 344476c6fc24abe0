/// Posts one message at a time and waits until each stream has it.
final class FanoutWork: Workload {
    private let streams: Int
    private let path: String
    private var bytes: UnsafeMutableRawBufferPointer?
    /// How often each stream got the message under way.
    private var seen: [UInt8]
    private var current = -1
    private var answeredNumber = -1
    private var deliveredCount = 0
    private var lastAt: Int64 = 0
    /// Deliveries of another message than the one under way, and second ones.
    private(set) var duplicate = 0
    private(set) var lost = 0
    private(set) var refused = 0
    private(set) var firstRefusal = 0

    init(streams: Int, path: String) {
        self.streams = streams
        self.path = path
        seen = Array(repeating: 0, count: streams)
    }

    deinit {
        bytes?.deallocate()
    }

    /// Readies the next message: one request is then sent, numbered so.
    func begin(_ number: Int) {
        current = number
        deliveredCount = 0
        for index in seen.indices { seen[index] = 0 }
        let text = #"{"n":\#(number),"text":"\#(String(repeating: "m", count: 100))"}"#
        let request = ConstantWork.post(path, type: "application/json", body: Array(text.utf8))
        bytes?.deallocate()
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: request.count, alignment: 1)
        copy.copyBytes(from: request)
        bytes = copy
    }

    /// Counts what the message under way failed to reach.
    func end() {
        lost += streams - deliveredCount
    }

    /// When the last stream got it, in nanoseconds of the monotonic clock.
    var lastDeliveryAt: Int64 { lastAt }

    func hasRequest(_ number: Int) -> Bool { number == current }

    func request(_ number: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes ?? .init(start: nil, count: 0)) }

    func answered(_ number: Int, status: Int, sentAt: Int64, now: Int64) {
        answeredNumber = number
        if !(200..<300).contains(status) {
            refused += 1
            firstRefusal = status
        }
    }

    func received(_ number: Int, stream: Int, now: Int64) {
        guard number == current, seen[stream] == 0 else {
            duplicate += 1
            return
        }
        seen[stream] = 1
        deliveredCount += 1
        lastAt = now
    }

    var isComplete: Bool { deliveredCount == streams }
}
