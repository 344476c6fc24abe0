import Foundation
import TestSupport

/// A like as a client of the shipped config posts it.
struct Like: Hashable, Sendable {
    let actor: String
    let postID: Int
    let owner: String

    init(_ actor: String, _ postID: Int = 1, of owner: String) {
        self.actor = actor
        self.postID = postID
        self.owner = owner
    }

    var json: String { #"{"actor":"\#(actor)","post_id":\#(postID),"post_owner":"\#(owner)"}"# }

    /// The row in `likes`.
    var name: String { "\(postID)/\(actor)" }

    /// What the recipient reads.
    var text: String { "\(actor) liked your post" }
}

extension HostProcess {
    func like(_ like: Like) async throws -> HTTPAnswer {
        try await post("/likes", like.json)
    }

    /// Posts likes over one connection; each must be answered 201.
    func likeAll(_ likes: [Like]) async throws {
        let address = address
        try await onThread {
            let connection = try HTTPConnection(address)
            for like in likes {
                let answer = try connection.post("/likes", like.json)
                guard answer.status == 201 else { throw TestFailure("\(like): \(answer.status) \(answer.body)") }
            }
        }
    }

    /// The notifications of a user, newest first, as the query answers.
    func notifications(of user: String) async throws -> [[String: Any]] {
        let answer = try await get("/users/\(user)/notifications")
        guard answer.status == 200 else { throw TestFailure("\(answer.status) \(answer.body)") }
        return answer.rows
    }

    static func streamPath(of user: String) -> String { "/users/\(user)/notifications/stream" }
}

extension HTTPConnection {
    func post(_ path: String, _ json: String) throws -> HTTPAnswer {
        try request("POST", path, headers: ["Content-Type: application/json"], body: json)
    }
}
