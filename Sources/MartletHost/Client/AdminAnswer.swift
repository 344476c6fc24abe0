import Martlet

/// A host's answer.
struct AdminAnswer: Sendable {
    let status: Int
    /// By lower-case name; of repeated ones the last.
    let headers: [String: String]
    let body: [UInt8]

    /// The body as JSON.
    func json() throws(ClientError) -> JSONNode {
        var limits = JSONReader.Limits()
        limits.bytes = AdminTransfer.bodyBytesMax
        let problems = ConfigProblems(file: "the host's answer")
        guard let node = JSONReader.read(body, limits: limits, problems: problems), problems.isEmpty else {
            throw ClientError("the host's answer is not JSON; is this a Martlet host's admin address?\n\(problems.text)")
        }
        return node
    }
}
