import Glibc

/// What the log could not do: a code for programs, a sentence for people, and the place.
package struct LogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure. `name` is stable: operators search for it.
    package enum Code: Sendable, Equatable {
        /// Less than `minFreeBytes` is left on the file system, or a write met a full disk.
        case storageFull
        /// The queue of unacknowledged appends holds `maxQueuedBytes`: slow down and try again.
        case overloaded
        case recordTooLarge
        case appendTooLarge
        case invalidAppend
        case unknownTopic
        case unknownPartition
        case invalidTopic
        case fewerPartitions
        /// The offset asked for is below `start` (retention removed it) or past `end`.
        case offsetOutOfRange(start: Int64, end: Int64)
        /// Another process, or another log in this one, has the folder open.
        case locked
        /// There is no log in the folder.
        case notFound
        case notWritable
        case closed
        /// An earlier write or sync error closed the log until it is opened again.
        case failed
        case checksumMismatch
        case damaged
        case unsupportedVersion
        case unsupportedCompression
        /// The records of a batch are larger than anything this log wrote.
        case decompressedTooLarge
        /// An idempotent producer's batch does not follow its last one.
        case outOfOrderSequence
        /// A newer epoch of the producer has appended: this one is over.
        case producerFenced
        case io

        /// The stable name, such as `log.checksum_mismatch`.
        package var name: String {
            switch self {
            case .storageFull: "log.storage_full"
            case .overloaded: "log.overloaded"
            case .recordTooLarge: "log.record_too_large"
            case .appendTooLarge: "log.append_too_large"
            case .invalidAppend: "log.invalid_append"
            case .unknownTopic: "log.unknown_topic"
            case .unknownPartition: "log.unknown_partition"
            case .invalidTopic: "log.invalid_topic"
            case .fewerPartitions: "log.fewer_partitions"
            case .offsetOutOfRange: "log.offset_out_of_range"
            case .locked: "log.locked"
            case .notFound: "log.not_found"
            case .notWritable: "log.not_writable"
            case .closed: "log.closed"
            case .failed: "log.failed"
            case .checksumMismatch: "log.checksum_mismatch"
            case .damaged: "log.damaged"
            case .unsupportedVersion: "log.unsupported_version"
            case .unsupportedCompression: "log.unsupported_compression"
            case .decompressedTooLarge: "log.decompressed_too_large"
            case .outOfOrderSequence: "log.out_of_order_sequence"
            case .producerFenced: "log.producer_fenced"
            case .io: "log.io"
            }
        }
    }

    package let code: Code
    /// What happened, the values found and expected, and what to do.
    package let message: String
    /// The file or folder concerned.
    package let path: String?
    /// Where in the file, in bytes.
    package let filePosition: Int64?
    /// The system's `errno`, if a system call failed.
    package let errno: Int32?

    package init(_ code: Code, _ message: String, path: String? = nil, filePosition: Int64? = nil, errno: Int32? = nil) {
        self.code = code
        self.message = message
        self.path = path
        self.filePosition = filePosition
        self.errno = errno
    }

    package var description: String {
        var text = "\(code.name): \(message)"
        if let path { text += " [\(path)" + (filePosition.map { " at byte \($0)" } ?? "") + "]" }
        return text
    }

    /// What is left to do about damage when there is no copy to restore.
    static let lastResort = "or see what `martlet log verify` finds and what `martlet log repair` would give up"

    /// The error of a failed system call on `path`: `action` completes "cannot …".
    static func system(_ action: String, path: String, errno: Int32) -> LogError {
        let reason = String(cString: strerror(errno))
        switch errno {
        case ENOSPC, EDQUOT:
            return LogError(.storageFull, "cannot \(action): \(reason); free space on this file system", path: path, errno: errno)
        case EACCES, EPERM, EROFS:
            return LogError(
                .notWritable, "cannot \(action): \(reason); the user that runs the host needs to own this folder", path: path, errno: errno)
        default:
            return LogError(.io, "cannot \(action): \(reason)", path: path, errno: errno)
        }
    }
}
