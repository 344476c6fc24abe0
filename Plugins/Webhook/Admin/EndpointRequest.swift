import Martlet

/// The body of a request that makes or changes an endpoint.
struct EndpointRequest {
    private static let keys = ["name", "url", "event_types", "description", "max_in_flight", "max_per_second", "secret", "algorithm"]

    let name: String?
    let url: String?
    let filter: EventFilter?
    let description: String?
    let maxInFlight: Int?
    let maxPerSecond: Int?
    let secret: SigningKey?
    let algorithm: SigningKey.Algorithm

    /// - Parameter allowed: the keys that this request may have.
    init(_ body: JSONObject, allowed: [String] = Self.keys) throws(AdminRefusal) {
        if let key = body.keys.first(where: { !allowed.contains($0) }) {
            throw .badRequest("unknown key `\(key)` (keys: \(allowed.joined(separator: ", ")))")
        }
        name = try Self.text(body, "name")
        url = try Self.text(body, "url")
        description = try Self.text(body, "description")
        if let name, let problem = EndpointName.problem(of: name) { throw .badRequest(problem) }
        if let url, let problem = EndpointURL.problem(of: url) { throw .badRequest("`url`: \(problem)") }
        filter = try Self.filter(body)
        maxInFlight = try Self.number(body, "max_in_flight", in: 1...1_000)
        maxPerSecond = try Self.number(body, "max_per_second", in: 1...1_000_000)
        if let text = try Self.text(body, "secret") {
            do throws(SigningKeyProblem) {
                secret = try SigningKey(text)
            } catch {
                throw .badRequest("`secret`: \(error.text)")
            }
        } else {
            secret = nil
        }
        guard let algorithm = SigningKey.Algorithm(rawValue: try Self.text(body, "algorithm") ?? "v1") else {
            throw .badRequest("`algorithm` is \"v1\" (HMAC-SHA256) or \"v1a\" (ed25519)")
        }
        self.algorithm = algorithm
    }

    /// The secret of the request, or a new one.
    func key() throws(AdminRefusal) -> SigningKey {
        if let secret { return secret }
        do throws(SigningKeyProblem) {
            return try SigningKey.generate(algorithm)
        } catch {
            throw AdminRefusal(500, "Internal Server Error", error.text)
        }
    }

    private static func text(_ body: JSONObject, _ key: String) throws(AdminRefusal) -> String? {
        switch body[key]?.kind {
        case nil, .null?: return nil
        case .string(let text)?: return text
        default: throw .badRequest("`\(key)` is a string")
        }
    }

    private static func number(_ body: JSONObject, _ key: String, in range: ClosedRange<Int>) throws(AdminRefusal) -> Int? {
        switch body[key]?.kind {
        case nil, .null?: return nil
        case .number(let number)?:
            if let value = number.int64, range.contains(Int(value)) { return Int(value) }
        default: break
        }
        throw .badRequest("`\(key)` is a number from \(range.lowerBound) to \(range.upperBound)")
    }

    private static func filter(_ body: JSONObject) throws(AdminRefusal) -> EventFilter? {
        guard let node = body["event_types"] else { return nil }
        guard case .array(let items) = node.kind else { throw .badRequest("`event_types` is a list of strings") }
        var patterns: [String] = []
        for item in items {
            guard case .string(let pattern) = item.kind else { throw .badRequest("`event_types` is a list of strings") }
            if let problem = EventFilter.problem(of: pattern) { throw .badRequest("`event_types`: \(problem), found `\(pattern)`") }
            patterns.append(pattern)
        }
        guard patterns.count <= 1_000 else { throw .badRequest("`event_types` has at most 1000 types") }
        return EventFilter(patterns)
    }
}
