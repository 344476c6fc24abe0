/// Compiles JSON Schemas. The host supplies it.
public protocol SchemaCompiler: Sendable {
    /// Throws if the text is not JSON, or is no JSON Schema.
    ///
    /// - Parameter schema: the schema's JSON text.
    func compile(_ schema: String) throws(PayloadError) -> any SchemaValidator
}

/// A compiled JSON Schema; may be used from several threads at once.
public protocol SchemaValidator: Sendable {
    /// Nothing if the payload is valid; else what is wrong, with JSON Pointers into the payload, at most a few of them.
    func problems(in payload: Bytes) throws(PayloadError) -> [String]
}
