/// The body of an error response: problem details (RFC 9457).
package struct ProblemDetails: Sendable {
    /// The response's status.
    package var status: HTTPStatus
    /// A URI naming the kind of problem; `about:blank` when the status says it all.
    package var type: String
    /// The kind of problem in a few words; the same for all of a kind.
    package var title: String
    /// What went wrong this time.
    package var detail: String

    /// Problem details; without a `title`, the status' reason.
    package init(_ status: HTTPStatus, _ detail: String, title: String? = nil, type: String = "about:blank") {
        self.status = status
        self.detail = detail
        self.title = title ?? status.reason
        self.type = type
    }

    /// The JSON text.
    package var json: SharedBytes {
        SharedBytes(
            "{\"type\":\(quoted(type)),\"title\":\(quoted(title)),\"status\":\(status.code),\"detail\":\(quoted(detail))}\n"
        )
    }

    private func quoted(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": json += "\\\""
            case "\\": json += "\\\\"
            case "\n": json += "\\n"
            case "\r": json += "\\r"
            case "\t": json += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let hex = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }
}
