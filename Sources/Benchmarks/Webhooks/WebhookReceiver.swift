import HTTPServer
import Synchronization

/// An endpoint in this process that answers 200 and checks that each key's events come in order.
final class WebhookReceiver: Sendable {
    /// What came so far.
    struct Tally {
        var count = 0
        var duplicates = 0
        var outOfOrder = 0
        /// Of the monotonic clock, in nanoseconds.
        var firstAt: Int64 = 0
        var lastAt: Int64 = 0
        /// The number that each key's next event has.
        var next = [Int](repeating: 0, count: WebhookConfig.keys)
    }

    let port: UInt16
    private let tally: TallyBox
    private let group: EventLoopGroup
    private let server: HTTPServer

    init() throws {
        let tally = TallyBox()
        self.tally = tally
        group = try EventLoopGroup(count: 1)
        let router = try Router([
            Route(.post, "/hook") { exchange in
                tally.take(exchange.request.body.bytes)
                exchange.respond(.noContent)
            }
        ])
        server = HTTPServer(loops: group.loops) { router.dispatch($0) }
        port = try server.listen(on: ListenAddress(host: "127.0.0.1", port: 0)).port
    }

    var current: Tally { tally.value.withLock { $0 } }
    var count: Int { tally.value.withLock { $0.count } }

    func stop() {
        group.stop()
    }
}

private final class TallyBox: Sendable {
    let value = Mutex(WebhookReceiver.Tally())

    /// `{"n":3,"key":"k17",…}`: the numbers stand where the body begins.
    func take(_ body: UnsafeRawBufferPointer) {
        let now = MonotonicClock.now
        let number = Self.number(body, from: 5)
        let key = Self.number(body, after: UInt8(ascii: "k"), skipping: 1)
        value.withLock { tally in
            tally.count += 1
            if tally.firstAt == 0 { tally.firstAt = now }
            tally.lastAt = now
            guard key < tally.next.count else { return }
            if number == tally.next[key] {
                tally.next[key] += 1
            } else if number < tally.next[key] {
                tally.duplicates += 1
            } else {
                tally.outOfOrder += 1
            }
        }
    }

    private static func number(_ body: UnsafeRawBufferPointer, from start: Int) -> Int {
        var number = 0
        for byte in body.dropFirst(start) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { break }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }

    /// The number behind the second `k` of `"key":"k17"`.
    private static func number(_ body: UnsafeRawBufferPointer, after letter: UInt8, skipping: Int) -> Int {
        var left = skipping
        for (index, byte) in body.enumerated() where byte == letter {
            if left == 0 { return number(body, from: index + 1) }
            left -= 1
        }
        return .max
    }
}
