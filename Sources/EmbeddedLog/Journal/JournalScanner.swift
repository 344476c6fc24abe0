/// Finds the entries after a checkpoint, and tells a torn tail from damage.
///
/// One cycle is in flight at a time. So an entry that is cut short by a crash is the last; if a
/// later entry says that everything up to the unreadable one had been synced, that one was
/// acknowledged, and its loss is damage.
struct JournalScanner {
    private struct Scanned {
        let file: JournalFile
        let header: JournalFileHeader?
        let size: Int
    }

    private let logID: UUIDBytes
    private var files: [Scanned] = []
    private(set) var lastGeneration: UInt64 = 0

    /// Opens every journal file in `directory`.
    init(storage: any LogStorage, directory: String, logID: UUIDBytes) throws(LogError) {
        self.logID = logID
        for name in try storage.list(directory).sorted() where name.hasSuffix(".journal") {
            let path = directory + "/" + name
            let handle = try storage.open(path, create: false)
            let header = JournalFileHeader(try handle.readBytes(count: JournalFormat.fileHeaderBytes, at: 0))
            if let header, header.logID != logID {
                throw LogError(
                    .damaged, "the journal belongs to log \(header.logID.text), the folder to log \(logID.text); put the right files together",
                    path: path)
            }
            files.append(Scanned(file: JournalFile(path: path, handle: handle), header: header, size: Int(try handle.size())))
            lastGeneration = max(lastGeneration, header?.generation ?? 0)
        }
    }

    /// The paths of files for reuse, numbered from 0 and of the size wanted; those of all others.
    func reusable(fileBytes: Int) -> (files: [String], others: [String]) {
        var kept: [String] = []
        while kept.count < Journal.fileCount,
            let next = files.first(where: { $0.file.path.hasSuffix("/\(kept.count).journal") && $0.size == fileBytes })
        { kept.append(next.file.path) }
        return (kept, files.map(\.file.path).filter { !kept.contains($0) })
    }

    /// Calls `apply` with each entry after cycle `lastCycle`, which ended at `position` of `generation`.
    ///
    /// An entry that no later one says was synced may be in the system's cache only, after a failed sync
    /// even as a clean page. It is written and synced once more before anything is built on it.
    /// - Returns: the last cycle found.
    func replay(
        after lastCycle: UInt64, generation: UInt64, position: Int, _ apply: ([UInt8]) throws(LogError) -> Void
    ) throws(LogError) -> UInt64 {
        var unproven: [(file: Scanned, place: Int, cycle: UInt64)] = []
        let lastFound = try scan(after: lastCycle, generation: generation, position: position) { file, place, header throws(LogError) in
            let proven = unproven.prefix { $0.cycle <= header.syncedThrough }
            for entry in proven { try apply(try seenEntry(in: entry.file, at: entry.place)) }
            unproven.removeFirst(proven.count)
            unproven.append((file, place, header.cycle))
        }
        for entry in unproven {
            try entry.file.file.handle.write(bytes: try seenEntry(in: entry.file, at: entry.place), at: Int64(entry.place))
            try entry.file.file.handle.sync()
        }
        for entry in unproven { try apply(try seenEntry(in: entry.file, at: entry.place)) }
        return lastFound
    }

    /// Goes through the entries in order, and refuses damage after the last.
    private func scan(
        after lastCycle: UInt64, generation: UInt64, position: Int,
        _ body: (Scanned, Int, JournalEntryHeader) throws(LogError) -> Void
    ) throws(LogError) -> UInt64 {
        var cycle = lastCycle
        var generation = generation
        var place = position
        guard var file = files.first(where: { $0.header?.generation == generation }) else {
            // A recovery names the generation that it is about to begin.
            if position == JournalFormat.block {
                try refuseDamage(afterCycle: cycle, path: files.first?.file.path, at: place)
                return cycle
            }
            throw LogError(
                .damaged, "the checkpoint refers to journal generation \(generation), but no intact journal file has it; restore the journal "
                    + "folder, \(LogError.lastResort)", path: files.first?.file.path)
        }
        while true {
            if let bytes = try entry(in: file, at: place), let header = bytes.withUnsafeBytes({ JournalEntryHeader($0) }),
                header.generation == generation, header.cycle == cycle + 1
            {
                try body(file, place, header)
                cycle += 1
                place += JournalFormat.padded(header.length)
            } else if let next = files.first(where: { $0.header?.generation == generation + 1 }), next.header?.firstCycle == cycle + 1 {
                file = next
                generation += 1
                place = JournalFormat.block
            } else {
                break
            }
        }
        try refuseDamage(afterCycle: cycle, path: file.file.path, at: place)
        return cycle
    }

    /// The whole entry at a place, if it is intact.
    private func entry(in file: Scanned, at place: Int) throws(LogError) -> [UInt8]? {
        guard place + JournalFormat.entryHeaderBytes <= file.size else { return nil }
        let head = try file.file.handle.readBytes(count: JournalFormat.entryHeaderBytes, at: Int64(place))
        guard let header = head.withUnsafeBytes({ JournalEntryHeader($0) }), header.logID == logID, place + header.length <= file.size else {
            return nil
        }
        let bytes = try file.file.handle.readBytes(count: header.length, at: Int64(place))
        guard bytes.count == header.length else { return nil }
        let checksum = bytes.withUnsafeBytes { CRC32C.of(UnsafeRawBufferPointer(rebasing: $0[8...])) }
        return checksum == header.checksum ? bytes : nil
    }

    /// An entry that was intact a moment ago.
    private func seenEntry(in file: Scanned, at place: Int) throws(LogError) -> [UInt8] {
        guard let bytes = try entry(in: file, at: place) else {
            throw LogError(.damaged, "a journal entry changed while it was read", path: file.file.path, filePosition: Int64(place))
        }
        return bytes
    }

    /// Looks through all files for an entry that proves that the cycle after `cycle` was acknowledged.
    private func refuseDamage(afterCycle cycle: UInt64, path: String?, at place: Int) throws(LogError) {
        for candidate in files {
            var position = JournalFormat.block
            while position + JournalFormat.block <= candidate.size {
                let window = try candidate.file.handle.readBytes(count: min(1 << 20, candidate.size - position), at: Int64(position))
                for offset in stride(from: 0, to: window.count, by: JournalFormat.block) {
                    let header = window.withUnsafeBytes { JournalEntryHeader(UnsafeRawBufferPointer(rebasing: $0[offset...])) }
                    guard let header, header.cycle > cycle else { continue }
                    // A file's header is synced before its first entry is written.
                    let lostHeader = candidate.header.map { $0.generation < header.generation } ?? true
                    guard header.syncedThrough > cycle || lostHeader, try entry(in: candidate, at: position + offset) != nil else { continue }
                    throw LogError(
                        .damaged,
                        "journal entry of cycle \(cycle + 1) is unreadable, but cycle \(header.cycle) in \(candidate.file.path) is intact: "
                            + "acknowledged records are damaged. Restore the file from a copy, \(LogError.lastResort)", path: path, filePosition: Int64(place))
                }
                if window.isEmpty { break }
                position += window.count
            }
        }
    }
}
