import Martlet

/// What an endpoint gets of a record.
struct RenderedMessage: Sendable {
    static let standardType = "application/json"

    /// `webhook-id`: the same for every attempt and every endpoint, so that receivers can tell repeats.
    let id: String
    let type: String
    let headers: [(name: String, value: String)]
    let body: Bytes

    /// The headers in a column: `name: value` lines; nil for a JSON body without others, which most are.
    var headerText: String? {
        if headers.count == 1, headers[0] == ("Content-Type", Self.standardType) { return nil }
        return headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
    }

    /// The headers of a column.
    static func headers(ofText text: String?) -> [(name: String, value: String)] {
        guard let text else { return [("Content-Type", standardType)] }
        return text.split(separator: "\n").compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " }))
        }
    }
}
