/// A few threads that sync files side by side: the disk and the file system merge what is asked for at the same time.
final class SyncThreads: Sendable {
    /// As many syncs as are under way at once, the caller's own among them.
    private static let count = 4
    /// Fewer files are not worth waking anyone.
    private static let worthwhile = 4

    private struct Work {
        var files: [any LogFile] = []
        var errors: [LogError?] = []
        /// The next file to take, and those that are done.
        var next = 0
        var done = 0
        var closing = false
    }

    private let work = Monitor(Work())
    private let threads: [LogThread]

    /// None: the caller of `sync` does all of it.
    init() { threads = [] }

    init(started: Void) throws(LogError) {
        var threads: [LogThread] = []
        let work = work
        for number in 1..<Self.count {
            do throws(LogError) {
                threads.append(try LogThread(name: "log-sync-\(number)") { while Self.syncNext(work, waits: true) {} })
            } catch {
                Self.stop(threads, work)
                throw error
            }
        }
        self.threads = threads
    }

    /// Syncs all the files, whatever becomes of some of them. One caller at a time.
    /// - Returns: the error of each; `nil` where it was synced.
    func sync(_ files: [any LogFile]) -> [LogError?] {
        if threads.isEmpty || files.count < Self.worthwhile { return files.map(Self.sync) }
        work.withLock { $0 = Work(files: files, errors: Array(repeating: nil, count: files.count)) }
        work.signalAll()
        while Self.syncNext(work, waits: false) {}
        return work.wait { work in
            guard work.done == work.files.count else { return nil }
            defer { work.files = [] }
            return work.errors
        }
    }

    /// Ends the threads. Nothing may be under way.
    func stop() { Self.stop(threads, work) }

    private static func stop(_ threads: [LogThread], _ work: Monitor<Work>) {
        work.withLock { $0.closing = true }
        work.signalAll()
        threads.forEach { $0.join() }
    }

    /// Takes one file and syncs it; `false` when there is none, or the threads end.
    private static func syncNext(_ work: Monitor<Work>, waits: Bool) -> Bool {
        let taken = work.wait { work -> (place: Int, file: any LogFile)?? in
            if work.next < work.files.count {
                work.next += 1
                return .some((work.next - 1, work.files[work.next - 1]))
            }
            return waits && !work.closing ? nil : .some(nil)
        }
        guard let taken else { return false }
        let error = sync(taken.file)
        let isLast = work.withLock { work in
            work.errors[taken.place] = error
            work.done += 1
            return work.done == work.files.count
        }
        if isLast { work.signalAll() }
        return true
    }

    private static func sync(_ file: any LogFile) -> LogError? {
        do throws(LogError) {
            try file.sync()
            return nil
        } catch {
            return error
        }
    }
}
