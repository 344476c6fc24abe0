/// The request methods this server implements; any other is answered with 501.
package enum HTTPMethod: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, patch, options

    /// The method as on the wire.
    package var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .patch: "PATCH"
        case .options: "OPTIONS"
        }
    }

    /// The method of a name as on the wire (capitals), or nil.
    package init?(name: String) {
        guard let method = HTTPMethod.allCases.first(where: { $0.name == name }) else { return nil }
        self = method
    }

    init?(_ start: UnsafePointer<UInt8>, _ count: Int) {
        func matches(_ name: StaticString) -> Bool {
            guard count == name.utf8CodeUnitCount else { return false }
            for position in 0..<count where start[position] != name.utf8Start[position] { return false }
            return true
        }
        switch start[0] {
        case UInt8(ascii: "G") where matches("GET"): self = .get
        case UInt8(ascii: "P") where matches("POST"): self = .post
        case UInt8(ascii: "P") where matches("PUT"): self = .put
        case UInt8(ascii: "P") where matches("PATCH"): self = .patch
        case UInt8(ascii: "H") where matches("HEAD"): self = .head
        case UInt8(ascii: "D") where matches("DELETE"): self = .delete
        case UInt8(ascii: "O") where matches("OPTIONS"): self = .options
        default: return nil
        }
    }
}
