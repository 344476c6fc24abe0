import Synchronization

/// The shared journal: every commit cycle is one entry, one write and one sync, however many
/// partitions it touches. A fixed number of preallocated files take turns.
///
/// `begin`, `hasRoom`, `write` and `sync` belong to the commit thread; `prepare` and `release` to the flusher.
final class Journal: @unchecked Sendable {
    // Unchecked: the fields below `files` belong to the commit thread; the rest is in a mutex.
    static let fileCount = 4
    static let blockBytes = JournalFormat.block
    /// Bytes of a new file that are written at once.
    private static let pieceBytes = 256 << 10

    private struct Files {
        var free: [JournalFile] = []
        var live: [(generation: UInt64, file: JournalFile)] = []
        var total = 0
    }

    private let storage: any LogStorage
    private let directory: String
    private let fileBytes: Int
    private let logID: UUIDBytes
    private let files: Mutex<Files>
    private var current: JournalFile?
    /// Taken for the next generation, whose header could not be written yet.
    private var next: JournalFile?
    private(set) var generation: UInt64
    private(set) var position = 0

    /// - Parameters:
    ///   - free: existing files whose entries are no longer needed.
    ///   - lastGeneration: the highest generation ever used.
    init(
        storage: any LogStorage, directory: String, fileBytes: Int, logID: UUIDBytes, free: [JournalFile], lastGeneration: UInt64
    ) {
        self.storage = storage
        self.directory = directory
        self.fileBytes = fileBytes
        self.logID = logID
        files = Mutex(Files(free: free, total: free.count))
        generation = lastGeneration
    }

    /// Bytes that entries of one file can take.
    var usableFileBytes: Int { fileBytes - JournalFormat.block }

    func hasRoom(_ bytes: Int) -> Bool { current != nil && position + JournalFormat.padded(bytes) <= fileBytes }

    /// Whether `begin` can have a file.
    var hasFreeFile: Bool { next != nil || files.withLock { !$0.free.isEmpty } }

    /// Turns to a free file. Its header is durable on return: an entry in a file without one is evidence of damage.
    /// After an error the next call tries the same file and generation again: there must be no gap between generations.
    func begin(firstCycle: UInt64) throws(LogError) {
        guard let file = next ?? files.withLock({ $0.free.popLast() }) else { throw LogError(.closed, "the journal has no free file") }
        next = file
        let header = JournalFileHeader(generation: generation + 1, firstCycle: firstCycle, logID: logID)
        try file.handle.write(bytes: header.encoded(), at: 0)
        try file.handle.sync()
        next = nil
        generation += 1
        current = file
        position = JournalFormat.block
        let live = generation
        files.withLock { $0.live.append((live, file)) }
    }

    /// Appends an entry. Durable after `sync`.
    func write(_ bytes: UnsafeRawBufferPointer) throws(LogError) {
        guard let current else { throw LogError(.closed, "the journal has no file") }
        try current.handle.write(bytes, at: Int64(position))
        position += JournalFormat.padded(bytes.count)
    }

    func sync() throws(LogError) {
        try current?.handle.sync()
    }

    /// Whether there can be another file to spare the commit thread waiting.
    var wantsFile: Bool { files.withLock { $0.free.isEmpty && $0.total < Self.fileCount } }
    /// Whether the only file fills up: two have to take turns. For the commit thread.
    var wantsSecondFile: Bool { position > fileBytes / 2 && fileTotal < 2 }
    var fileTotal: Int { files.withLock { $0.total } }

    /// Adds one more file, filled with zeros so that later writes change no metadata.
    /// - Parameter pause: called between pieces, each of which is synced then: what else is synced meanwhile waits for one piece
    ///   and not for the whole file.
    func prepare(pause: (() -> Void)? = nil) throws(LogError) {
        let number = files.withLock { $0.total }
        let path = "\(directory)/\(number).journal"
        let handle = try storage.open(path, create: true)
        let zeros = [UInt8](repeating: 0, count: min(fileBytes, Self.pieceBytes))
        var place = 0
        while place < fileBytes {
            let count = min(zeros.count, fileBytes - place)
            try handle.write(bytes: count == zeros.count ? zeros : Array(zeros[..<count]), at: Int64(place))
            place += count
            guard let pause, place < fileBytes else { continue }
            try handle.sync()
            pause()
        }
        try handle.sync()
        try storage.syncDirectory(directory)
        files.withLock {
            $0.free.append(JournalFile(path: path, handle: handle))
            $0.total += 1
        }
    }

    /// Frees the files whose entries lie before `generation`: a durable checkpoint covers them.
    func release(before generation: UInt64) {
        files.withLock { files in
            files.free += files.live.filter { $0.generation < generation }.map(\.file)
            files.live.removeAll { $0.generation < generation }
        }
    }
}

/// An open journal file.
struct JournalFile: Sendable {
    let path: String
    let handle: any LogFile
}
