public import Martlet

/// A payload reader for modules that read no payloads.
public struct MissingPayloadReader: PayloadReader {
    public init() {}

    /// Throws.
    public func find(
        _ lookup: PayloadLookup, in payload: Bytes, into tokens: UnsafeMutableBufferPointer<PayloadToken>
    ) throws(PayloadError) {
        tokens.initialize(repeating: PayloadToken(kind: .missing))
        throw PayloadError("the test gave no payload reader")
    }

    /// Throws.
    public func check(_ payload: Bytes) throws(PayloadError) {
        throw PayloadError("the test gave no payload reader")
    }

    /// Throws.
    public func elements(of array: Bytes) throws(PayloadError) -> [Bytes] {
        throw PayloadError("the test gave no payload reader")
    }
}

/// A schema compiler for modules that use no JSON Schema.
public struct MissingSchemaCompiler: SchemaCompiler {
    public init() {}

    /// Throws.
    public func compile(_ schema: String) throws(PayloadError) -> any SchemaValidator {
        throw PayloadError("the test gave no schema compiler")
    }
}

/// Event loops for modules that keep no connections.
public struct MissingEventLoops: EventLoops {
    public init() {}

    public var count: Int { 0 }

    /// Stops the test.
    public func execute(on index: Int, _ work: @escaping @Sendable () -> Void) {
        preconditionFailure("the test gave no event loops")
    }

    /// Stops the test.
    public func schedule(on index: Int, after delay: Duration, _ work: @escaping @Sendable () -> Void) {
        preconditionFailure("the test gave no event loops")
    }
}

/// A maker of clients for modules that send nothing to the outside.
public struct MissingOutgoingHTTP: OutgoingHTTP {
    public init() {}

    /// Throws.
    public func client(_ settings: OutgoingHTTPSettings) throws(ModuleError) -> any OutgoingHTTPClient {
        throw .blocked("http.client_failed", "the test gave no HTTP clients")
    }
}
