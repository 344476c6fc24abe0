/// Why routes are refused.
package enum RouteError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A pattern that is not a path of literal and `{name}` segments.
    case malformedPattern(String, owner: String, reason: String)
    /// Two routes that answer the same requests.
    case collision(String, String)

    /// What is wrong, where, and what to do.
    package var description: String {
        switch self {
        case .malformedPattern(let pattern, let owner, let reason):
            "http.malformed_route: path \"\(pattern)\"\(owner.isEmpty ? "" : " of \(owner)") is malformed: \(reason)"
        case .collision(let first, let second):
            "http.route_collision: \(first) and \(second) answer the same requests; give one of them another path or method"
        }
    }
}
