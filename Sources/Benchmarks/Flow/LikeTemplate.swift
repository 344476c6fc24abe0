/// `POST /likes` with the numbers of one like written over the digits of a finished request.
final class LikeTemplate {
    /// Likes are numbered from here, so that all have the same count of digits.
    static let firstPost = 100_000_000

    private let bytes: UnsafeMutableRawBufferPointer
    private let actor: Int
    private let post: Int
    private let owner: Int
    private let userCount: Int

    init(userCount: Int) {
        self.userCount = userCount
        let body = #"{"actor":"a000000000","post_id":000000000,"post_owner":"u000000"}"#
        let head = "POST /likes HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        let text = Array((head + body).utf8)
        bytes = .allocate(byteCount: text.count, alignment: 1)
        bytes.copyBytes(from: text)
        let start = head.utf8.count
        actor = start + #"{"actor":"a"#.utf8.count
        post = actor + 9 + #"","post_id":"#.utf8.count
        owner = post + 9 + #","post_owner":"u"#.utf8.count
    }

    deinit {
        bytes.deallocate()
    }

    /// The name in the path of a user's stream.
    static func user(_ number: Int) -> String {
        let digits = String(number)
        return "u" + String(repeating: "0", count: 6 - digits.count) + digits
    }

    /// Valid until the next call.
    func request(_ number: Int) -> UnsafeRawBufferPointer {
        write(Self.firstPost + number, 9, at: actor)
        write(Self.firstPost + number, 9, at: post)
        write(number % userCount, 6, at: owner)
        return UnsafeRawBufferPointer(bytes)
    }

    private func write(_ value: Int, _ digits: Int, at place: Int) {
        var rest = value
        for index in stride(from: place + digits - 1, through: place, by: -1) {
            bytes[index] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
    }
}
