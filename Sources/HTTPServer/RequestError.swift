/// Why a request is refused before any handler sees it.
package struct RequestError: Error, Sendable, CustomStringConvertible {
    /// The answer's status.
    package let status: HTTPStatus
    /// What was found and what was expected; goes to the client.
    package let detail: String

    /// Status and detail.
    package var description: String { "\(status): \(detail)" }

    init(_ status: HTTPStatus, _ detail: String) {
        self.status = status
        self.detail = detail
    }

    static func badRequest(_ detail: String) -> RequestError { RequestError(.badRequest, detail) }
}
