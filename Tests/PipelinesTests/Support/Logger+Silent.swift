import Martlet

extension Logger {
    /// For tests that do not look at log lines.
    static let silent = Logger(output: LogOutput(minimum: .error, format: .text, sink: { _ in }))
}
