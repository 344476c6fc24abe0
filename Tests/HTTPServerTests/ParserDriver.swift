@testable import HTTPServer

/// Feeds bytes to a parser as a connection does: what it does not consume is presented again with more behind it.
struct ParserDriver {
    /// What came out, in a form to compare.
    enum Outcome: Equatable, CustomStringConvertible {
        case request(method: String, target: String, minorVersion: UInt8, keepAlive: Bool, headers: [String], body: [UInt8])
        case refused(Int)

        var description: String {
            switch self {
            case .request(let method, let target, let minor, let keepAlive, let headers, let body):
                "\(method) \(target) 1.\(minor) \(keepAlive ? "keep" : "close") \(headers) \(String(decoding: body, as: UTF8.self).debugDescription)"
            case .refused(let status): "refused \(status)"
            }
        }

        init(_ request: HTTPRequest) {
            self = .request(
                method: request.method.name, target: request.target, minorVersion: request.minorVersion,
                keepAlive: request.wantsKeepAlive, headers: request.headers.map { "\($0.name): \($0.value)" },
                body: Array(request.body.bytes))
        }
    }

    private(set) var outcomes: [Outcome] = []
    private(set) var continues = 0
    /// The most bytes that ever waited unconsumed.
    private(set) var pendingMax = 0
    private var parser: RequestParser
    private var pending: [UInt8] = []

    init(limits: RequestLimits = RequestLimits()) {
        parser = RequestParser(limits: limits)
    }

    var isIdle: Bool { pending.isEmpty && !parser.isInsideRequest }

    mutating func feed(_ bytes: some Sequence<UInt8>) {
        pending.append(contentsOf: bytes)
        while !pending.isEmpty {
            if case .refused = outcomes.last { return }
            let result = pending.withUnsafeBytes { parser.parse($0) }
            switch result {
            case .incomplete(let consumed):
                pending.removeFirst(consumed)
                pendingMax = max(pendingMax, pending.count)
                return
            case .continueExpected(let consumed):
                pending.removeFirst(consumed)
                continues += 1
            case .request(let request, let consumed):
                pending.removeFirst(consumed)
                outcomes.append(Outcome(request))
            case .failed(let error):
                outcomes.append(.refused(error.status.code))
            }
        }
    }

    static func run(_ text: String, limits: RequestLimits = RequestLimits()) -> [Outcome] {
        run(Array(text.utf8), limits: limits)
    }

    static func run(_ bytes: [UInt8], limits: RequestLimits = RequestLimits()) -> [Outcome] {
        var driver = ParserDriver(limits: limits)
        driver.feed(bytes)
        return driver.outcomes
    }

    /// The one request that a text holds, or nil.
    static func request(_ text: String, limits: RequestLimits = RequestLimits()) -> HTTPRequest? {
        var parser = RequestParser(limits: limits)
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { raw in
            if case .request(let request, let consumed) = parser.parse(raw), consumed == raw.count { request } else { nil }
        }
    }
}
