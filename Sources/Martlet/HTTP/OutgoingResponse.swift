/// The answer to an ``OutgoingRequest``, whatever its status.
public struct OutgoingResponse: Sendable {
    /// Three digits, as the server sent it.
    public let status: Int
    /// Names in lower case, in the order of the answer.
    public let headers: [(name: String, value: String)]
    /// At most ``OutgoingRequest/bodyLimit`` bytes.
    public let body: Bytes
    /// Whether the body went on beyond the limit.
    public let isTruncated: Bool

    public init(status: Int, headers: [(name: String, value: String)], body: Bytes, isTruncated: Bool = false) {
        self.status = status
        self.headers = headers
        self.body = body
        self.isTruncated = isTruncated
    }

    /// The value of the first header of that name, which is given in lower case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }

    /// Whether the status is 2xx.
    public var isSuccess: Bool { (200..<300).contains(status) }
}
