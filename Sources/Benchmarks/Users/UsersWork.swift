import CLinux

/// Posts messages to users picked at random, and follows each to its user's stream.
final class UsersWork: Workload {
    /// Numbers have ten digits, so that all requests have one size.
    private static let firstNumber = 1_000_000_000
    private static let userDigits = 7

    private let userCount: Int
    private let request: UnsafeMutableRawBufferPointer
    private let userPlace: Int
    private let numberPlace: Int
    private var sentAt: [Int64] = []
    private var seen: [UInt8] = []
    private var notifiedCount = 0
    private var answeredCount = 0
    private(set) var lastDeliveryAt: Int64 = 0
    private(set) var latencies = Latencies()
    private(set) var refused = 0
    private(set) var duplicate = 0
    private(set) var stray = 0

    /// - Parameter path: of a post to a user, with `USER` in the user's place.
    init(users: Int, path: String) {
        userCount = users
        let user = String(repeating: "0", count: Self.userDigits)
        let body = #"{"n":\#(Self.firstNumber),"text":"\#(String(repeating: "m", count: 100))"}"#
        let parts = path.split(separator: "USER", omittingEmptySubsequences: false)
        let target = parts.joined(separator: "u" + user)
        let bytes = ConstantWork.post(target, type: "application/json", body: Array(body.utf8))
        request = .allocate(byteCount: bytes.count, alignment: 1)
        request.copyBytes(from: bytes)
        userPlace = "POST ".utf8.count + (parts.first?.utf8.count ?? 0) + 1
        numberPlace = bytes.count - body.utf8.count + #"{"n":"#.utf8.count
    }

    deinit {
        request.deallocate()
    }

    /// A user's name, as in the path of its stream.
    static func name(_ user: Int) -> String {
        let digits = String(user)
        return "u" + String(repeating: "0", count: userDigits - digits.utf8.count) + digits
    }

    /// The user that a message is for: SplitMix64 of its number.
    private func user(of number: Int) -> Int {
        var bits = UInt64(number) &+ 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((bits ^ bits >> 31) % UInt64(userCount))
    }

    func hasRequest(_ number: Int) -> Bool { true }

    func request(_ number: Int) -> UnsafeRawBufferPointer {
        write(user(of: number), digits: Self.userDigits, at: userPlace)
        write(Self.firstNumber + number, digits: 10, at: numberPlace)
        while sentAt.count <= number {
            sentAt.append(0)
            seen.append(0)
        }
        sentAt[number] = MonotonicClock.now
        return UnsafeRawBufferPointer(request)
    }

    private func write(_ value: Int, digits: Int, at place: Int) {
        var rest = value
        for position in stride(from: place + digits - 1, through: place, by: -1) {
            request[position] = UInt8(0x30 + rest % 10)
            rest /= 10
        }
    }

    func answered(_ number: Int, status: Int, sentAt: Int64, now: Int64) {
        answeredCount += 1
        if !(200..<300).contains(status) { refused += 1 }
    }

    func received(_ number: Int, stream: Int, now: Int64) {
        let message = number - Self.firstNumber
        guard sentAt.indices.contains(message), user(of: message) == stream else {
            stray += 1
            return
        }
        seen[message] += seen[message] == .max ? 0 : 1
        guard seen[message] == 1 else {
            duplicate += 1
            return
        }
        notifiedCount += 1
        lastDeliveryAt = now
        latencies.add(now - sentAt[message])
    }

    var isComplete: Bool { notifiedCount >= answeredCount - refused }
    var lost: Int { max(0, answeredCount - refused - notifiedCount) }
    var delivered: Int { notifiedCount }

    func forgetLatencies() {
        latencies = Latencies()
    }
}
