import Glibc
import Martlet

/// Finds the files of a source, follows each through rotation, and keeps the positions. Used on the source's thread.
final class FileFollower: @unchecked Sendable {
    // Unchecked: all calls come from the one thread of the source's worker.

    /// A line with its file.
    struct Line {
        let content: Bytes
        let id: Bytes
        let path: String
        let offset: Int
        let isTooLong: Bool
    }

    /// A file that its path no longer leads to is read so many looks longer without growing.
    private static let lastLooks = 3
    private static let storeInterval = Duration.milliseconds(500)

    private let settings: FileSourceConfig
    private let name: String
    private let state: StateFile
    private let logger: Logger
    private var positions = FilePositions()
    private var files: [FollowedFile] = []
    /// For files that no path leads to any more, the looks left.
    private var leaving: [FileIdentity: Int] = [:]
    private var isFirstLook = true
    private var turn = 0
    private var nextLook = ContinuousClock.now
    private var lastStore = ContinuousClock.now
    private var isUnstored = false
    private var hasWarnedOfCount = false

    init(_ settings: FileSourceConfig, name: String, state: StateFile, logger: Logger) {
        self.settings = settings
        self.name = name
        self.state = state
        self.logger = logger
    }

    /// Reads the positions.
    func begin() throws(ModuleError) {
        guard let stored = try state.read() else { return }
        positions = try FilePositions(stored, path: state.path)
        isFirstLook = false
        // What was rotated while nobody looked is finished first.
        let found = Set(paths().compactMap { Self.identity(of: $0) })
        for (identity, position) in positions.files where !found.contains(identity) {
            if let path = Self.find(identity, beside: position.path), let file = open(path, identity) {
                files.append(file)
                leaving[identity] = Self.lastLooks
            }
        }
    }

    /// The next lines, at most a batch; none if there is nothing new.
    func next() throws(ModuleError) -> [Line] {
        if ContinuousClock.now >= nextLook {
            try look()
            nextLook = .now + .milliseconds(settings.pollMilliseconds)
        }
        let leavers = files.filter { leaving[$0.identity] != nil }
        let others = files.filter { leaving[$0.identity] == nil }
        turn = others.isEmpty ? 0 : (turn + 1) % others.count
        var lines: [Line] = []
        // Files that are left for newer ones come first, so that lines keep their order over a rotation.
        for file in leavers + others[turn...] + others[..<turn] where lines.count < settings.batchEvents {
            let isFinal = leaving[file.identity] == 0
            for line in file.takeLines(settings.batchEvents - lines.count, isFinal: isFinal) {
                lines.append(
                    Line(
                        content: line.content, id: Bytes("\(name)/\(positions.instance)-\(file.number)-\(line.offset)"), path: file.path,
                        offset: line.offset, isTooLong: line.isTooLong))
            }
        }
        return lines
    }

    /// What ``next()`` returned is in the log.
    func settled() throws(ModuleError) {
        for file in files { file.settle() }
        isUnstored = true
        if ContinuousClock.now - lastStore >= Self.storeInterval { try store() }
    }

    /// Writes the positions, if they changed.
    func store() throws(ModuleError) {
        guard isUnstored else { return }
        for file in files { positions.files[file.identity] = file.position }
        try state.write(positions.encoded)
        lastStore = .now
        isUnstored = false
    }

    // MARK: Looking

    private func look() throws(ModuleError) {
        var seen: Set<FileIdentity> = []
        for path in paths() {
            guard let identity = Self.identity(of: path) else { continue }
            seen.insert(identity)
            if let file = files.first(where: { $0.identity == identity }) {
                file.moved(to: path)
                leaving[identity] = nil
                continue
            }
            guard files.count < settings.maxFiles else {
                warnOfCount()
                continue
            }
            guard let file = open(path, identity) else { continue }
            if isFirstLook, settings.start == .end { file.skipToEnd() }
            files.append(file)
            isUnstored = true
        }
        isFirstLook = false
        for file in files where file.isTruncated {
            logger.info("a file was cut off; reading it from its beginning", ("file", file.path))
            file.beginAgain(as: positions.takeNumber())
            isUnstored = true
        }
        forget(except: seen)
        // Numbers are on disk before they are in ids.
        try store()
    }

    /// Counts down the files that no path leads to, and lets those go that have been read to their end.
    private func forget(except seen: Set<FileIdentity>) {
        for file in files where !seen.contains(file.identity) {
            leaving[file.identity] = max(0, (leaving[file.identity] ?? Self.lastLooks) - 1)
            if leaving[file.identity] == 0, file.hasNothingLeft {
                files.removeAll { $0 === file }
                leaving[file.identity] = nil
                positions.files[file.identity] = nil
                isUnstored = true
            }
        }
        // Those of files that could not be found, which may come back; not without end.
        while positions.files.count > settings.maxFiles * 2, let one = positions.files.keys.first(where: { key in !files.contains { $0.identity == key } }) {
            positions.files[one] = nil
        }
    }

    private func open(_ path: String, _ identity: FileIdentity) -> FollowedFile? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        guard let status = FileIdentity.status(of: descriptor), status.st_mode & S_IFMT == S_IFREG, FileIdentity(status) == identity else {
            Glibc.close(descriptor)
            return nil
        }
        var position = positions.files[identity]
        // Another file that got the same inode.
        if let known = position, FileHead(of: descriptor, count: known.head.count) != known.head { position = nil }
        let new = FilePosition(path: path, offset: 0, number: 0, head: .empty)
        let file = FollowedFile(
            path: path, descriptor: descriptor, identity: identity, position: position ?? new, maxLineBytes: settings.maxLineBytes)
        if position == nil { file.beginAgain(as: positions.takeNumber()) }
        return file
    }

    private func warnOfCount() {
        guard !hasWarnedOfCount else { return }
        hasWarnedOfCount = true
        logger.warning("more than \(settings.maxFiles) files match (`max_files`); the others are not read", ("path", settings.path.written))
    }

    private func paths() -> [String] {
        guard settings.path.resolved.contains(where: { "*?[".contains($0) }) else { return [settings.path.resolved] }
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(settings.path.resolved, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
    }

    /// Nil if there is no regular file under the path.
    private static func identity(of path: String) -> FileIdentity? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return FileIdentity(status)
    }

    /// Where a file is now that was under this path.
    private static func find(_ identity: FileIdentity, beside path: String) -> String? {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        guard let listing = opendir(folder.isEmpty ? "/" : folder) else { return nil }
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            guard UInt64(entry.pointee.d_ino) == identity.inode else { continue }
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if Self.identity(of: folder + "/" + name) == identity { return folder + "/" + name }
        }
        return nil
    }
}
