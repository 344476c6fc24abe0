import CJQ

/// Gathers what libjq says while it compiles.
final class JQMessages {
    private var messages: [String] = []

    /// Consumes a message.
    fileprivate func add(_ message: jv) {
        let text = jv_get_kind(message) == JV_KIND_STRING ? message : jv_dump_string(message, 0)
        messages.append(JQText.take(text))
    }

    /// libjq's first message without its decoration, and the line that it means in the program.
    ///
    /// It reads `jq: error: TEXT at <top-level>, line N:`, then the program; line 0 of what was compiled is not the program's.
    func compileError(of source: JQSource) -> JQProgram.CompileError {
        guard var message = messages.first else { return JQProgram.CompileError(message: "libjq refuses it", line: nil) }
        for decoration in ["jq: error: ", "error: "] where message.hasPrefix(decoration) {
            message.removeFirst(decoration.count)
        }
        let lineCount = source.program.utf8.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
        var line: Int?
        if let place = message.ranges(of: " at <top-level>, line ").last {
            line = Int(message[place.upperBound...].prefix { $0.isNumber }).map { $0 - 2 }
            message = String(message[..<place.lowerBound])
        }
        message = message.replacing(" (Unix shell quoting issues?)", with: "")
        if let found = line, found >= lineCount {
            // The bracket that we put behind the program is where it ends.
            message = message.replacing("unexpected ')'", with: "unexpected end of the program")
            line = lineCount - 1
        }
        return JQProgram.CompileError(message: JQText.clipped(message), line: line.map { max(0, $0) })
    }
}

/// Called by libjq on the thread that compiles, inside `jq_compile`.
func receiveJQMessage(_ receiver: UnsafeMutableRawPointer?, _ message: jv) {
    guard let receiver else { return jv_free(message) }
    Unmanaged<JQMessages>.fromOpaque(receiver).takeUnretainedValue().add(message)
}

/// Without it libjq writes to the process's standard error.
func ignoreJQMessage(_ receiver: UnsafeMutableRawPointer?, _ message: jv) {
    jv_free(message)
}
