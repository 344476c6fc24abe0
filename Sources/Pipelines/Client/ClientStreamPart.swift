package import Martlet

/// A piece of an answer that is handed on as it comes.
package enum ClientStreamPart: Sendable {
    /// Comes once, before the body. Header names are in lower case.
    case head(status: Int, headers: [(name: String, value: String)])
    /// More of the body, never empty.
    case body(Bytes)
}
