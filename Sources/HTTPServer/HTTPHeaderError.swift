/// A response header field that cannot be sent.
package struct HTTPHeaderError: Error, Equatable, CustomStringConvertible {
    /// What is wrong with it.
    package enum Problem: Sendable {
        /// The name is not a token.
        case malformedName
        /// The value holds CR, LF, NUL or another control character.
        case controlCharacter
        /// The server sets this field itself.
        case reserved
    }

    /// The field's name as given.
    package let name: String
    /// What is wrong with it.
    package let problem: Problem

    /// The field, what is wrong and what is expected.
    package var description: String {
        switch problem {
        case .malformedName: "header field name \"\(name)\" is not a token; expected letters, digits and hyphens"
        case .controlCharacter: "the value of header field \(name) holds a control character; expected one line of text"
        case .reserved: "header field \(name) is set by the server itself; leave it out"
        }
    }
}
