/// What the journal holds after a checkpoint, read without changing anything, and past damage.
struct JournalSurvey {
    /// One partition's share of an entry.
    struct Part {
        let incarnation: UUIDBytes
        let partition: Int32
        let offsets: Range<Int64>
        let segmentBase: Int64
        let file: any LogFile
        let path: String
        /// Where in the journal file its batches lie.
        let bytes: Range<Int>
        let maxTimestamp: Int64
        /// Whether its batches are to be had.
        var isIntact: Bool
        /// Whether it comes from a damaged entry, so that nothing says that it names the right partition.
        let isDoubtful: Bool
    }

    private struct Entry {
        let file: any LogFile
        let path: String
        let size: Int
        let place: Int
        let header: JournalEntryHeader
        let hasLostHeader: Bool

        var end: Int { place + JournalFormat.padded(header.length) }
    }

    private let storage: any LogStorage
    private let checkpoint: Checkpoint?
    /// Those of the intact file headers.
    private var generations: Set<UInt64> = []
    private(set) var logID: UUIDBytes?
    private(set) var lastGeneration: UInt64
    private(set) var cycle: UInt64
    private(set) var parts: [Part] = []
    private(set) var findings: [LogFinding] = []
    /// Files of another log.
    private(set) var foreign: [String] = []
    private(set) var entryCount = 0
    private(set) var lastEntry: (path: String, bytes: Range<Int64>)?
    /// Where entries are missing that were acknowledged: index into `findings`.
    private(set) var missing: Int?

    init(_ storage: any LogStorage, _ directory: String, _ checkpoint: Checkpoint?) throws(LogError) {
        self.storage = storage
        self.checkpoint = checkpoint
        logID = checkpoint?.logID
        lastGeneration = checkpoint?.generation ?? 0
        cycle = checkpoint?.cycle ?? 0
        var entries: [Entry] = []
        for name in try storage.list(directory).sorted() where name.hasSuffix(".journal") {
            entries += try self.entries(of: directory + "/" + name)
        }
        if let checkpoint, !checkpoint.clean, checkpoint.position != JournalFormat.block, !generations.contains(checkpoint.generation),
            findings.isEmpty
        {
            findings.append(
                LogFinding(
                    subject: .journal, path: directory, problem: "no intact journal file has generation \(checkpoint.generation), to which the "
                        + "checkpoint refers", remedy: "the log goes on with what the segments hold"))
        }
        entries.sort { $0.header.cycle < $1.header.cycle }
        if checkpoint == nil, let first = entries.first { cycle = first.header.cycle - 1 }
        try follow(entries)
    }

    /// The intact entries of a file that a recovery would want.
    private mutating func entries(of path: String) throws(LogError) -> [Entry] {
        let file = try storage.open(path, create: false)
        let size = Int(try file.size())
        let header = JournalFileHeader(try file.readBytes(count: JournalFormat.fileHeaderBytes, at: 0))
        if let header {
            if logID == nil { logID = header.logID }
            if header.logID != logID {
                foreign.append(path)
                if checkpoint?.clean != true {
                    findings.append(
                        LogFinding(
                            subject: .journal, path: path, problem: "the file belongs to log \(header.logID.text), the folder to "
                                + "\(logID?.text ?? "")", remedy: "it is put aside as \(path).foreign"))
                }
                return []
            }
            lastGeneration = max(lastGeneration, header.generation)
            generations.insert(header.generation)
        }
        if checkpoint?.clean == true { return [] }
        var found: [Entry] = []
        let window = FileWindow(file, size: size)
        var place = JournalFormat.block
        while place < size {
            guard let entry = try window.pointer(at: place, count: JournalFormat.entryHeaderBytes).flatMap({
                JournalEntryHeader(UnsafeRawBufferPointer(start: $0, count: JournalFormat.entryHeaderBytes))
            }), isWanted(entry, header), let bytes = try window.pointer(at: place, count: entry.length),
                CRC32C.of(UnsafeRawBufferPointer(start: bytes + 8, count: entry.length - 8)) == entry.checksum
            else {
                place += JournalFormat.block
                continue
            }
            let isLost = header.map { $0.generation < entry.generation } ?? true
            found.append(Entry(file: file, path: path, size: size, place: place, header: entry, hasLostHeader: isLost))
            lastGeneration = max(lastGeneration, entry.generation)
            place += JournalFormat.padded(entry.length)
        }
        if found.contains(where: \.hasLostHeader) {
            findings.append(
                LogFinding(
                    subject: .journal, path: path, bytes: 0..<Int64(JournalFormat.block), problem: "the file's header is unreadable",
                    remedy: "its intact entries are taken all the same"))
        }
        return found
    }

    private func isWanted(_ entry: JournalEntryHeader, _ file: JournalFileHeader?) -> Bool {
        guard entry.logID == logID || logID == nil else { return false }
        if let checkpoint { return entry.cycle > checkpoint.cycle && entry.generation >= checkpoint.generation }
        return file == nil || file?.generation == entry.generation
    }

    /// Takes the entries in order, and what can be had of damaged ones between them.
    private mutating func follow(_ entries: [Entry]) throws(LogError) {
        let proven = entries.map { max($0.header.syncedThrough, $0.hasLostHeader ? $0.header.cycle - 1 : 0) }.max() ?? 0
        var last: Entry?
        for entry in entries {
            if entry.header.cycle <= cycle { continue }
            if entry.header.cycle > cycle + 1 {
                // What no later entry says was synced is a tail that a loss of power tore: nobody was told that it is kept.
                if proven <= cycle { break }
                try missEntries(after: last, before: entry)
            }
            try take(entry.file, entry.path, entry.place, entry.header, isIntact: true)
            cycle = entry.header.cycle
            entryCount += 1
            lastEntry = (entry.path, Int64(entry.place)..<Int64(entry.end))
            last = entry
        }
    }

    private mutating func missEntries(after last: Entry?, before next: Entry) throws(LogError) {
        var place = last?.end ?? checkpoint?.position ?? JournalFormat.block
        let isSameFile = last.map { $0.path == next.path } ?? (next.header.generation == checkpoint?.generation)
        let file = isSameFile ? next : last ?? next
        if !isSameFile, last == nil { place = JournalFormat.block }
        let end = isSameFile ? next.place : last == nil ? JournalFormat.block : file.size
        missing = findings.count
        findings.append(
            LogFinding(
                subject: .journal, path: file.path, bytes: Int64(place)..<Int64(max(place, end)),
                problem: next.header.cycle == cycle + 2
                    ? "the entry of cycle \(cycle + 1) is unreadable, and cycle \(next.header.cycle) is intact"
                    : "the entries of cycles \(cycle + 1) to \(next.header.cycle - 1) are unreadable, and cycle \(next.header.cycle) is intact",
                remedy: "what their parts and the segments still hold is kept"))
        var expected = cycle + 1
        while place < end {
            let head = try file.file.readBytes(count: JournalFormat.entryHeaderBytes, at: Int64(place))
            guard let header = head.withUnsafeBytes({ JournalEntryHeader($0) }), header.cycle == expected, header.length <= end - place else {
                findings[findings.count - 1].unplacedBytes += Int64(end - place)
                return
            }
            if try !take(file.file, file.path, place, header, isIntact: false) { findings[findings.count - 1].unplacedBytes += Int64(header.length) }
            place += JournalFormat.padded(header.length)
            expected += 1
        }
    }

    /// Notes the parts of an entry; those of a damaged one as far as they make sense.
    /// - Returns: whether each part says where it belongs, as far as can be told.
    @discardableResult
    private mutating func take(
        _ file: any LogFile, _ path: String, _ place: Int, _ header: JournalEntryHeader, isIntact: Bool
    ) throws(LogError) -> Bool {
        let bytes = try file.readBytes(count: header.length, at: Int64(place))
        var found: [Part] = []
        bytes.withUnsafeBytes { entry in
            var next = JournalFormat.entryHeaderBytes
            for _ in 0..<header.partCount {
                guard let part = JournalPart.read(entry, &next), let memory = part.batches.baseAddress, let start = entry.baseAddress else { return }
                let offset = place + (memory - start)
                guard part.nextOffset > part.baseOffset, part.baseOffset >= 0, part.nextOffset - part.baseOffset <= Int64(part.batches.count) else { continue }
                found.append(
                    Part(
                        incarnation: part.incarnation, partition: part.partition, offsets: part.baseOffset..<part.nextOffset,
                        segmentBase: part.segmentBase, file: file, path: path, bytes: offset..<(offset + part.batches.count),
                        maxTimestamp: part.maxTimestamp, isIntact: isIntact || part.isIntact, isDoubtful: !isIntact))
            }
        }
        // With all batches intact the damage is in what says where they belong: then none can be placed.
        let isPlaced = isIntact || (found.count == header.partCount && found.contains { !$0.isIntact })
        if !isPlaced { for index in found.indices { found[index].isIntact = false } }
        parts += found
        return isPlaced
    }
}

extension JournalPart {
    /// Whether the batches themselves say that nothing is wrong with them.
    fileprivate var isIntact: Bool {
        guard let memory = batches.baseAddress else { return false }
        var place = 0
        var next = baseOffset
        while place < batches.count {
            guard let header = BatchHeader(memory + place, available: batches.count - place), header.baseOffset == next,
                header.totalBytes <= batches.count - place, header.checksumMatches(memory + place)
            else { return false }
            place += header.totalBytes
            next = header.nextOffset
        }
        return next == nextOffset
    }
}
