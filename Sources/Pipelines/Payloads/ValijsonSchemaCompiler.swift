import CValijson
import Glibc
package import Martlet

/// Compiles JSON Schemas through valijson: draft 7, with the limits that CValijson.h names.
package struct ValijsonSchemaCompiler: SchemaCompiler {
    /// A compiler; all are alike.
    package init() {}

    package func compile(_ schema: String) throws(PayloadError) -> any SchemaValidator {
        var copy = schema
        let (compiled, problem) = copy.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { characters in
                var problem: UnsafeMutablePointer<CChar>?
                let compiled = cvalijson_compile(characters.baseAddress, characters.count, &problem)
                return (compiled, problem)
            }
        }
        guard let compiled else { throw PayloadError(takeText(problem)) }
        return ValijsonSchemaValidator(compiled)
    }
}

/// A schema in valijson's form. It does not change after compiling, so threads share it.
private final class ValijsonSchemaValidator: SchemaValidator {
    // Unchecked by the compiler: nothing writes to the schema between its making and its release.
    private nonisolated(unsafe) let schema: OpaquePointer

    init(_ schema: OpaquePointer) {
        self.schema = schema
    }

    deinit {
        cvalijson_release(schema)
    }

    func problems(in payload: Bytes) throws(PayloadError) -> [String] {
        // The stricter reader first: it bounds the depth that the validation recurses to.
        try SimdjsonPayloadReader().check(payload)
        var text: UnsafeMutablePointer<CChar>?
        let outcome = payload.withUnsafeBytes { cvalijson_validate(schema, $0.baseAddress, $0.count, &text) }
        switch outcome {
        case cvalijson_valid: return []
        case cvalijson_invalid: return takeText(text).split(separator: "\n").map(String.init)
        default: throw PayloadError("the payload cannot be checked against its schema: \(takeText(text))")
        }
    }
}

/// A text that the C side has made; releases it.
private func takeText(_ text: UnsafeMutablePointer<CChar>?) -> String {
    guard let text else { return "out of memory" }
    defer { free(text) }
    return String(cString: text)
}
