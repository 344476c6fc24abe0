/// The same request again and again, counting the answers.
final class ConstantWork: Workload {
    private let bytes: UnsafeMutableRawBufferPointer
    private(set) var accepted = 0
    private(set) var refused = 0
    private(set) var latencies = Latencies()
    private(set) var firstRefusal = 0

    init(_ request: [UInt8]) {
        bytes = .allocate(byteCount: request.count, alignment: 1)
        bytes.copyBytes(from: request)
    }

    deinit {
        bytes.deallocate()
    }

    /// A POST of a body.
    static func post(_ path: String, type: String, body: [UInt8]) -> [UInt8] {
        let head = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n\r\n"
        return Array(head.utf8) + body
    }

    func forgetLatencies() {
        latencies = Latencies()
    }

    func hasRequest(_ number: Int) -> Bool { true }

    func request(_ number: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }

    func answered(_ number: Int, status: Int, sentAt: Int64, now: Int64) {
        latencies.add(now - sentAt)
        if (200..<300).contains(status) {
            accepted += 1
        } else {
            refused += 1
            firstRefusal = status
        }
    }

    func received(_ number: Int, stream: Int, now: Int64) {}

    var isComplete: Bool { true }
}
