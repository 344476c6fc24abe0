import Foundation

/// A response as it came over the wire.
package struct HTTPAnswer: Sendable {
    package let status: Int
    /// By lower-case name; of repeated ones the last.
    package let headers: [String: String]
    package let body: String

    /// The body as a JSON object.
    package var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]) ?? [:]
    }

    /// The body as a JSON array of objects.
    package var rows: [[String: Any]] {
        (try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [[String: Any]]) ?? []
    }

    package func text(_ key: String) -> String? { object[key] as? String }
}
