/// What the process says to its caller.
enum ExitCode: Int32, Sendable {
    case done = 0
    case failed = 1
    case wrongUsage = 2
    /// `EX_CONFIG` of sysexits.h.
    case badConfig = 78
}
