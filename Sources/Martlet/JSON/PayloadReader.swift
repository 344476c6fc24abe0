/// Looks values up in JSON payloads. The host supplies it, so that the SDK imports no C library.
public protocol PayloadReader: Sendable {
    /// The values at the pointers in `payload`, parsed once; nil where nothing is there. An object or array comes as
    /// its JSON text. Throws if the payload is not JSON.
    func values(at pointers: [JSONPointer], in payload: Bytes) throws(PayloadError) -> [DataValue?]

    /// Checks that the payload is one JSON value, and that no object in it has a key twice.
    func check(_ payload: Bytes) throws(PayloadError)

    /// The elements of a JSON array, each as its own payload.
    func elements(of array: Bytes) throws(PayloadError) -> [Bytes]
}

/// What is wrong with a payload.
public struct PayloadError: Error, Sendable {
    /// For a human: what was found and where.
    public let message: String

    public init(_ message: String) {
        self.message = message
    }
}

/// Compiles JSON Schemas. The host supplies it.
public protocol SchemaCompiler: Sendable {
    /// - Parameter schema: the schema's JSON text.
    func compile(_ schema: String) throws(PayloadError) -> any SchemaValidator
}

/// A compiled JSON Schema.
public protocol SchemaValidator: Sendable {
    /// Nil if the payload is valid; else what is wrong, with JSON Pointers into the payload, at most a few of them.
    func problems(in payload: Bytes) throws(PayloadError) -> [String]
}
