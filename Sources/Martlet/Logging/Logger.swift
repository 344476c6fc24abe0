import Glibc

/// Writes log lines: one line an event, no payloads, no secrets. Text on a terminal, JSON otherwise.
public struct Logger: Sendable {
    /// How much a line matters.
    public enum Level: Int, Sendable, Comparable, CaseIterable {
        case debug, info, warning, error

        /// By how much they matter.
        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        /// The level's name in the output and in the config.
        public var text: String {
            switch self {
            case .debug: "debug"
            case .info: "info"
            case .warning: "warning"
            case .error: "error"
            }
        }
    }

    private let output: LogOutput
    private let fields: [(String, String)]

    /// A logger whose lines carry `fields`.
    public init(output: LogOutput, fields: [(String, String)] = []) {
        self.output = output
        self.fields = fields
    }

    /// A logger whose lines also carry another field, such as `group`.
    public func with(_ name: String, _ value: String) -> Logger {
        Logger(output: output, fields: fields.filter { $0.0 != name } + [(name, value)])
    }

    /// For whoever looks for a defect.
    public func debug(_ message: @autoclosure () -> String, _ extra: (String, String)...) {
        log(.debug, message(), extra)
    }

    /// Something changed, as it should.
    public func info(_ message: @autoclosure () -> String, _ extra: (String, String)...) {
        log(.info, message(), extra)
    }

    /// Something is wrong and is being dealt with.
    public func warning(_ message: @autoclosure () -> String, _ extra: (String, String)...) {
        log(.warning, message(), extra)
    }

    /// Something is wrong and an operator should look.
    public func error(_ message: @autoclosure () -> String, _ extra: (String, String)...) {
        log(.error, message(), extra)
    }

    private func log(_ level: Level, _ message: @autoclosure () -> String, _ extra: [(String, String)]) {
        guard level >= output.minimum else { return }
        let names = Set(extra.map(\.0))
        output.write(level, message(), fields.filter { !names.contains($0.0) } + extra)
    }
}
