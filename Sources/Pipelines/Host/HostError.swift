/// Why a host cannot start: said in full, for the operator.
package struct HostError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
