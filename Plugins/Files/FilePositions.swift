import Martlet

/// How far a source has read its files, as it lies in its state file: a line that names the format, the source's instance and the
/// number of the next file; then a line for each file, `device inode offset number head-count head-hash path`.
struct FilePositions: Sendable, Equatable {
    private static let title = "martlet-file-positions-1"

    /// Made with the state file, so that numbers are not taken for those of an earlier one.
    let instance: String
    private(set) var nextNumber = 1
    var files: [FileIdentity: FilePosition] = [:]

    init() {
        // The end of a new id, which is random.
        instance = String(EventID.generate().string.suffix(12))
    }

    mutating func takeNumber() -> Int {
        defer { nextNumber += 1 }
        return nextNumber
    }

    var encoded: [UInt8] {
        var text = "\(Self.title) \(instance) \(nextNumber)\n"
        for (identity, position) in files {
            text += "\(identity.device) \(identity.inode) \(position.offset) \(position.number) "
            text += "\(position.head.count) \(position.head.hash) \(JSONText.quoted(position.path))\n"
        }
        return Array(text.utf8)
    }

    /// - Throws: blocked, `file.bad_state`: a position that is guessed would lose lines or send all again.
    init(_ bytes: [UInt8], path: String) throws(ModuleError) {
        let damaged = ModuleError.blocked(
            "file.bad_state", "\(path) does not hold the positions of a file source; remove it to begin anew, as `start` says")
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let first = lines.first?.split(separator: " ") ?? []
        guard first.count == 3, first[0] == Self.title, let number = Int(first[2]) else { throw damaged }
        instance = String(first[1])
        nextNumber = number
        for line in lines.dropFirst() {
            let words = line.split(separator: " ", maxSplits: 6)
            guard words.count == 7, let device = UInt64(words[0]), let inode = UInt64(words[1]), let offset = Int(words[2]),
                let number = Int(words[3]), let count = Int(words[4]), count <= FileIdentity.headLimit, let hash = UInt64(words[5]),
                let name = JSONText.string(Bytes(words[6]))
            else { throw damaged }
            files[FileIdentity(device: device, inode: inode)] = FilePosition(
                path: name, offset: offset, number: number, head: FileHead(count: count, hash: hash))
        }
    }
}
