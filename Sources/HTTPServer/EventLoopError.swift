import CEvent

/// The system refused what an event loop needs: descriptors, memory or threads.
package struct EventLoopError: Error, CustomStringConvertible {
    /// The call that failed.
    package let call: String
    /// Its errno.
    package let code: Int32

    /// What failed, and what to do.
    package var description: String {
        "http.loop_not_started: \(call) failed: \(systemErrorText(code)); raise the limits on open files (ulimit -n) and threads"
    }
}

/// The system's words for an errno, with its number.
func systemErrorText(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "errno \(code)" }
    return "\(String(cString: text)) (errno \(code))"
}
