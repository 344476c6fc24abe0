import CLinux

/// Posts events, each for one endpoint; all of them get one before any gets another. Those that may be dead get none while it
/// warms up.
final class EndpointsWork: Workload {
    private static let fill = String(repeating: "x", count: 100)

    /// A prime above every number of endpoints: all have their turn, and those that are dead do not follow each other.
    private static let step = 10_007

    private let endpoints: Int
    /// The first so many may be dead.
    private let mortal: Int
    private let receiver: EndpointsReceiver
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1_024, alignment: 1)
    /// When each event was sent, in nanoseconds of the monotonic clock.
    private(set) var sentAt: [Int64] = []
    private(set) var refused = 0
    /// The first event after the warm-up.
    private(set) var firstMeasured = Int.max

    init(endpoints: Int, mortal: Int, receiver: EndpointsReceiver) {
        self.endpoints = endpoints
        self.mortal = mortal
        self.receiver = receiver
    }

    deinit {
        buffer.deallocate()
    }

    /// The warm-up is over before an event.
    func measure(from number: Int) {
        firstMeasured = number
    }

    /// The endpoint that an event is for.
    func endpoint(of number: Int) -> Int {
        number < firstMeasured ? mortal + number * Self.step % (endpoints - mortal) : number * Self.step % endpoints
    }

    func hasRequest(_ number: Int) -> Bool { number < receiver.capacity }

    func request(_ number: Int) -> UnsafeRawBufferPointer {
        let body = #"{"n":\#(number),"type":"e\#(endpoint(of: number))","key":"k\#(number % 9_973)","note":"\#(Self.fill)"}"#
        let bytes = ConstantWork.post("/events", type: "application/json", body: Array(body.utf8))
        buffer.copyBytes(from: bytes)
        while sentAt.count <= number { sentAt.append(0) }
        sentAt[number] = MonotonicClock.now
        return UnsafeRawBufferPointer(rebasing: buffer[..<bytes.count])
    }

    func answered(_ number: Int, status: Int, sentAt: Int64, now: Int64) {
        if !(200..<300).contains(status) { refused += 1 }
    }

    func received(_ number: Int, stream: Int, now: Int64) {}

    var isComplete: Bool { true }
}
