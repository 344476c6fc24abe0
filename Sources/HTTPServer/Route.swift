/// What answers the requests of one method and one pattern of paths.
package final class Route: Sendable {
    /// The method.
    package let method: HTTPMethod
    /// The pattern, for instance `/users/{user}/stream`.
    package let pattern: String
    /// Who declared the route, for error messages: `sources.likes`.
    package let owner: String
    let segments: [Segment]
    let handler: @Sendable (HTTPExchange) -> Void

    enum Segment: Sendable {
        case literal([UInt8])
        case parameter(String)
    }

    /// A route. Throws `RouteError.malformedPattern`.
    ///
    /// - Parameters:
    ///   - method: the method; a GET route also answers HEAD unless another does.
    ///   - pattern: an absolute path whose segments are literal text or `{name}`, which matches any one segment that is not empty.
    ///   - owner: who declares the route, for error messages.
    ///   - handler: called on the connection's loop.
    package init(
        _ method: HTTPMethod, _ pattern: String, owner: String = "", handler: @escaping @Sendable (HTTPExchange) -> Void
    ) throws(RouteError) {
        self.method = method
        self.pattern = pattern
        self.owner = owner
        self.handler = handler
        segments = try Route.parse(pattern, owner: owner)
    }

    private static func parse(_ pattern: String, owner: String) throws(RouteError) -> [Segment] {
        func malformed(_ reason: String) -> RouteError { .malformedPattern(pattern, owner: owner, reason: reason) }
        guard pattern.hasPrefix("/") else { throw malformed("it does not start with /") }
        var segments: [Segment] = []
        var names: Set<String> = []
        for piece in pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard piece.contains("{") || piece.contains("}") else {
                guard piece.utf8.allSatisfy({ ByteSet.path.contains($0) || $0 >= 0x80 }) else {
                    throw malformed("segment \"\(piece)\" holds a character that no path can; write it decoded, without ? # or spaces")
                }
                segments.append(.literal(Array(piece.utf8)))
                continue
            }
            let name = piece.dropFirst().dropLast()
            guard piece.hasPrefix("{"), piece.hasSuffix("}"), !name.isEmpty,
                name.utf8.allSatisfy({ ByteSet.token.contains($0) })
            else { throw malformed("segment \"\(piece)\" is not {name}; a parameter is a whole segment") }
            guard names.insert(String(name)).inserted else { throw malformed("parameter {\(name)} comes twice") }
            segments.append(.parameter(String(name)))
        }
        return segments
    }

    /// The place of `{name}` among the path's segments.
    func parameterIndex(_ name: String) -> Int? {
        segments.firstIndex { segment in
            if case .parameter(let candidate) = segment { candidate == name } else { false }
        }
    }

    /// The names of the pattern's parameters, in their order.
    package var parameterNames: [String] {
        segments.compactMap { segment in
            if case .parameter(let name) = segment { name } else { nil }
        }
    }

    /// Method, pattern and owner, as error messages name a route.
    var label: String { owner.isEmpty ? "\(method.name) \(pattern)" : "\(method.name) \(pattern) (\(owner))" }
}
