import CLinux

/// Why a benchmark could not be run to its end.
package struct BenchmarkError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    /// A failed system call: `action` completes "cannot …".
    static func system(_ action: String) -> BenchmarkError {
        let code = clinux_errno()
        return BenchmarkError("cannot \(action): \(String(cString: strerror(code)))")
    }
}
