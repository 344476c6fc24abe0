import EmbeddedLog
import Martlet

extension ModuleError {
    /// What the runtime does about an error of the log: records at fault are permanent, the operator's to mend is
    /// blocked, everything else is tried again.
    init(_ error: LogError) {
        let kind: Kind =
            switch error.code {
            case .recordTooLarge, .appendTooLarge, .invalidAppend, .outOfOrderSequence, .producerFenced: .permanent
            case .unknownTopic, .unknownPartition, .invalidTopic, .fewerPartitions, .offsetOutOfRange, .locked, .notWritable,
                .checksumMismatch, .damaged, .unsupportedVersion, .unsupportedCompression, .decompressedTooLarge, .failed:
                .blocked
            default: .transient
            }
        self.init(kind, code: error.code.name, error.description)
    }
}
