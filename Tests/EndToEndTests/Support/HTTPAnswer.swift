import Foundation

/// A response as it came over the wire.
struct HTTPAnswer: Sendable {
    let status: Int
    /// By lower-case name; of repeated ones the last.
    let headers: [String: String]
    let body: String

    /// The body as a JSON object.
    var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]) ?? [:]
    }

    /// The body as a JSON array of objects.
    var rows: [[String: Any]] {
        (try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [[String: Any]]) ?? []
    }

    func text(_ key: String) -> String? { object[key] as? String }
}
