/// A log in a folder that nobody has looked at yet. All it can do is be recovered.
package struct UnrecoveredLog: Sendable {
    package let configuration: LogConfiguration
    private let storage: any LogStorage
    private let clock: any LogClock

    package init(
        _ configuration: LogConfiguration, storage: any LogStorage = PosixStorage(), clock: any LogClock = SystemLogClock()
    ) {
        self.configuration = configuration
        self.storage = storage
        self.clock = clock
    }

    /// Locks the folder, creates what is missing, replays the journal after an unclean stop, and starts.
    /// After a clean stop this takes no longer for a large log than for a small one.
    ///
    /// - Parameter runsThreads: `false` for tests that drive `runCommitCycle` and `runFlush` themselves.
    /// - Throws: `locked`, `notWritable`, `damaged` or `checksumMismatch` with the file and position,
    ///   `unsupportedVersion`, `storageFull`, `io`. Nothing acknowledged is dropped silently.
    package consuming func recover(runsThreads: Bool = true) throws(LogError) -> EmbeddedLog {
        try checkConfiguration()
        var recovery = try Recovery(configuration, storage, clock)
        let log = EmbeddedLog(try recovery.run(), runsThreads: runsThreads)
        let own = TopicConfiguration(partitions: 1, segmentBytes: 4 << 20, cleanup: .compact)
        try log.ensure(GroupOffsetRecord.topic, own)
        try log.ensure(ProducerMarkRecord.topic, own)
        try log.ensure(ProducerStateRecord.topic, own)
        try log.loadInternalTopics()
        try log.loadProducers()
        try log.rebuildWindows()
        try log.start()
        return log
    }

    private func checkConfiguration() throws(LogError) {
        if configuration.maxAppendBytes < configuration.maxRecordBytes {
            throw LogError(
                .appendTooLarge,
                "a journal of \(configuration.journalBytes) bytes takes appends of \(configuration.maxAppendBytes), less than the largest record "
                    + "(\(configuration.maxRecordBytes)); make the journal larger or the records smaller")
        }
    }
}

/// What a recovery hands to the running log.
struct RecoveredLog {
    let configuration: LogConfiguration
    let storage: any LogStorage
    let clock: any LogClock
    let paths: LogPaths
    let logID: UUIDBytes
    let cycle: UInt64
    let lock: any LogLock
    let journal: Journal
    let files: SegmentFiles
    let topics: [String: TopicLog]
}
