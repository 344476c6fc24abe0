/// Looks at a log that no host has open, says what is damaged, and repairs it.
///
/// Life cycle: `init` locks the folder → `verify` → `repair`, if wanted → released with the object. Blocks; one thread.
/// `verify` changes nothing, also not what the next start would: torn tails and leftovers stay.
package final class LogInspection {
    private let storage: any LogStorage
    private let paths: LogPaths
    private let lock: any LogLock

    /// - Parameter directory: the data folder, in which `log` lies.
    /// - Throws: `locked` if a host has the log open; `notFound` if there is none.
    package init(directory: String, storage: any LogStorage = PosixStorage()) throws(LogError) {
        self.storage = storage
        paths = LogPaths(directory: directory)
        let names = try storage.list(paths.root)
        guard !names.isEmpty else {
            throw LogError(
                .notFound, "there is no log in this data folder; name the folder that the config has as host.data_directory", path: paths.root)
        }
        lock = try storage.lock(paths.lock)
    }

    /// Reads the whole log.
    /// - Parameter progress: called with what is read, before it is.
    /// - Throws: errors of the disk, and `unsupportedVersion`; damage is in the report.
    package func verify(progress: (String) -> Void = { _ in }) throws(LogError) -> LogReport {
        try LogSurvey(storage, paths, progress: progress).report
    }

    /// Makes a log that opens, holding everything except the losses in the report.
    ///
    /// A crash on the way leaves a log that refuses to start until the repair is run again; nothing more is lost by that.
    /// - Returns: what was found, and is now repaired.
    package func repair(progress: (String) -> Void = { _ in }) throws(LogError) -> LogReport {
        let survey = try LogSurvey(storage, paths, progress: progress)
        if survey.report.isSound { return survey.report }
        progress("writing")
        try LogRepair(storage, paths, survey).run()
        return survey.report
    }
}
