/// Looks values up in JSON payloads. The host supplies it, so that the SDK imports no C library.
///
/// A payload is accepted if it is one JSON value (RFC 8259) in UTF-8, nested at most 256 levels deep, with numbers
/// within a double's range and no lone surrogates. All methods may be called from any thread.
public protocol PayloadReader: Sendable {
    /// Reads the payload once and fills one token for each of the lookup's pointers, in their order.
    ///
    /// A key on the way to a looked-up value that is there twice is an error, since readers disagree about which counts.
    ///
    /// - Parameter tokens: memory for ``PayloadLookup/count`` tokens, initialised by this call, also when it throws.
    func find(
        _ lookup: PayloadLookup, in payload: Bytes, into tokens: UnsafeMutableBufferPointer<PayloadToken>
    ) throws(PayloadError)

    /// Checks that the payload is one JSON value, and that no object in it has a key twice.
    func check(_ payload: Bytes) throws(PayloadError)

    /// The elements of a JSON array, each as its own payload in the same memory. Checks all of it as ``check(_:)`` does.
    func elements(of array: Bytes) throws(PayloadError) -> [Bytes]
}

extension PayloadReader {
    /// The values at the pointers in `payload`; nil where nothing is there. Prepares the pointers anew at each call: on
    /// a hot path keep a ``PayloadLookup`` and use ``withTokens(of:in:_:)``. Throws if the payload is not JSON.
    public func values(at pointers: [JSONPointer], in payload: Bytes) throws(PayloadError) -> [DataValue?] {
        let lookup = PayloadLookup(pointers)
        return try withTokens(of: lookup, in: payload) { tokens throws(PayloadError) in
            pointers.map { pointer in lookup.index(of: pointer).flatMap { tokens[$0].value(in: payload) } }
        }
    }

    /// Reads the payload once and hands the tokens to `body`, which must not keep them. Without pointers the payload is
    /// not read at all.
    public func withTokens<Result>(
        of lookup: PayloadLookup, in payload: Bytes,
        _ body: (UnsafeMutableBufferPointer<PayloadToken>) throws(PayloadError) -> Result
    ) throws(PayloadError) -> Result {
        try withUnsafeTemporaryAllocation(of: PayloadToken.self, capacity: lookup.count) { tokens throws(PayloadError) in
            if lookup.count > 0 { try find(lookup, in: payload, into: tokens) }
            return try body(tokens)
        }
    }
}

/// What is wrong with a payload.
public struct PayloadError: Error, Sendable {
    /// For a human: what was found, what was expected, and at which byte (from 0).
    public let message: String

    public init(_ message: String) {
        self.message = message
    }
}
