import CJQ
import Martlet

/// Text on its way to and from libjq.
enum JQText {
    /// The longest error message, in characters: libjq puts values of the payload into its messages.
    private static let messageLimit = 200

    static func make(_ text: String) -> jv {
        var copy = text
        return copy.withUTF8 { make(UnsafeRawBufferPointer($0)) }
    }

    static func make(_ bytes: Bytes) -> jv {
        bytes.withUnsafeBytes { make($0) }
    }

    private static func make(_ bytes: UnsafeRawBufferPointer) -> jv {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return jv_string("") }
        return jv_string_sized(base.assumingMemoryBound(to: CChar.self), Int32(clamping: bytes.count))
    }

    /// Consumes a string of libjq.
    static func take(_ value: jv) -> String {
        defer { jv_free(value) }
        let count = Int(jv_string_length_bytes(jv_copy(value)))
        return String(
            decoding: UnsafeRawBufferPointer(start: jv_string_value(value), count: count), as: UTF8.self)
    }

    static func clipped(_ message: String) -> String {
        message.count <= messageLimit ? message : message.prefix(messageLimit) + "…"
    }
}
