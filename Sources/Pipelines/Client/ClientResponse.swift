package import Martlet

/// The whole answer to a ``ClientRequest``, whatever its status.
package struct ClientResponse: Sendable {
    package let status: Int
    /// Names in lower case, in the order of the answer.
    package let headers: [(name: String, value: String)]
    package let body: Bytes

    package init(status: Int, headers: [(name: String, value: String)], body: Bytes) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of that name, which is given in lower case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }

    /// Whether the status is 2xx.
    package var isSuccess: Bool { (200..<300).contains(status) }
}
