import CSQLite
import Glibc
import Martlet

/// Stops a statement that runs too long or that nobody waits for. Belongs to one connection and its thread.
final class SQLiteWatch {
    /// Instructions of SQLite's virtual machine between two looks at the clock.
    private static let instructions: CInt = 2_000

    private let connection: OpaquePointer
    /// On the monotonic clock, in nanoseconds; 0 for none.
    private var deadline: UInt64 = 0
    private var cancellation: Cancellation?

    init(_ connection: OpaquePointer) {
        self.connection = connection
        sqlite3_progress_handler(
            connection, Self.instructions, { askWatch($0) }, Unmanaged.passUnretained(self).toOpaque())
    }

    func remove() {
        sqlite3_progress_handler(connection, 0, nil, nil)
    }

    func start(limit milliseconds: Int, _ cancellation: Cancellation?) {
        deadline = Self.now() + UInt64(milliseconds) * 1_000_000
        self.cancellation = cancellation
    }

    func stop() {
        deadline = 0
        cancellation = nil
    }

    fileprivate var mustStop: Bool {
        guard deadline != 0 else { return false }
        return cancellation?.isCancelled == true || Self.now() > deadline
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

private nonisolated func askWatch(_ context: UnsafeMutableRawPointer?) -> CInt {
    guard let context else { return 0 }
    return Unmanaged<SQLiteWatch>.fromOpaque(context).takeUnretainedValue().mustStop ? 1 : 0
}
