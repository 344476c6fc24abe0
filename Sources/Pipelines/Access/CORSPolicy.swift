import Martlet

/// Which pages of other origins may use the configured paths (Fetch Standard, section 3.2).
struct CORSPolicy: Sendable {
    /// The longest list of header names that a preflight may ask for.
    private static let requestedBytesMax = 1_024

    private let origins: Set<String>
    private let allowsAll: Bool
    private let allowsCredentials: Bool
    private let maxAge: String

    init(_ config: CORSConfig) {
        origins = Set(config.origins.filter { $0 != "*" }.map { $0.lowercased() })
        allowsAll = config.origins.contains("*")
        allowsCredentials = config.credentials
        maxAge = String(config.maxAgeSeconds)
    }

    func lists(_ origin: String) -> Bool { origins.contains(origin.lowercased()) }

    /// What an answer says to the page that asked.
    ///
    /// - Parameter isOpen: reading a part without `auth`.
    func headers(for origin: String?, isOpen: Bool) -> [(name: String, value: String)] {
        guard let origin, lists(origin) else {
            if isOpen, allowsAll { return [("Access-Control-Allow-Origin", "*")] + (origins.isEmpty ? [] : [("Vary", "Origin")]) }
            return [("Vary", "Origin")]
        }
        var headers: [(name: String, value: String)] = [
            ("Access-Control-Allow-Origin", origin), ("Vary", "Origin"),
            ("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate"),
        ]
        if allowsCredentials { headers.append(("Access-Control-Allow-Credentials", "true")) }
        return headers
    }

    /// The answer to `OPTIONS`.
    ///
    /// - Parameters:
    ///   - methods: what the path answers to, and whether without `auth`.
    func preflight(_ exchange: any HTTPExchange, _ methods: [(name: String, isAnonymous: Bool)]) -> HTTPResponse {
        let names = methods.map(\.name).joined(separator: ", ")
        var headers: [(name: String, value: String)] = [("Allow", names + ", OPTIONS")]
        guard let origin = exchange.header("origin"), let wanted = exchange.header("access-control-request-method") else {
            return HTTPResponse(status: 204, headers: headers)
        }
        let method = methods.first { $0.name == wanted }
        func isOpenReading(_ method: (name: String, isAnonymous: Bool)) -> Bool {
            method.isAnonymous && (method.name == "GET" || method.name == "HEAD")
        }
        let isOpen = method.map(isOpenReading) ?? false
        headers += self.headers(for: origin, isOpen: isOpen)
        headers.append(("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers"))
        guard method != nil, headers.contains(where: { $0.name == "Access-Control-Allow-Origin" }) else {
            return HTTPResponse(status: 204, headers: headers)
        }
        // A browser remembers each method that stands here, not only the one that it asked for.
        let allowed = lists(origin) ? methods : methods.filter(isOpenReading)
        headers.append(("Access-Control-Allow-Methods", allowed.map(\.name).joined(separator: ", ")))
        headers.append(("Access-Control-Max-Age", maxAge))
        if let requested = exchange.header("access-control-request-headers"), Self.areNames(requested) {
            headers.append(("Access-Control-Allow-Headers", requested))
        }
        return HTTPResponse(status: 204, headers: headers)
    }

    private static func areNames(_ text: String) -> Bool {
        text.utf8.count <= requestedBytesMax && text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ","), UInt8(ascii: " "): true
            default: false
            }
        }
    }
}
