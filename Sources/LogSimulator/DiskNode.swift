/// A file or folder of the simulated disk: what programs see, and what survives a power failure.
final class DiskNode {
    enum Change {
        case write(position: Int, bytes: [UInt8])
        case truncate(Int)
    }

    let isDirectory: Bool
    /// File: content seen, content on the platter, changes in between.
    var content: [UInt8] = []
    var durable: [UInt8] = []
    var changes: [Change] = []
    /// Folder: names seen, names on the platter, changes in between; each applies whole or not at all.
    var names: [String: DiskNode] = [:]
    var durableNames: [String: DiskNode] = [:]
    var nameChanges: [[(name: String, node: DiskNode?)]] = []

    init(isDirectory: Bool) { self.isDirectory = isDirectory }

    func write(_ bytes: [UInt8], at position: Int) {
        Self.apply(.write(position: position, bytes: bytes), to: &content)
        changes.append(.write(position: position, bytes: bytes))
    }

    func truncate(to size: Int) {
        Self.apply(.truncate(size), to: &content)
        changes.append(.truncate(size))
    }

    func sync() {
        for change in changes { Self.apply(change, to: &durable) }
        changes = []
    }

    func rename(_ changes: [(name: String, node: DiskNode?)]) {
        for (name, node) in changes { names[name] = node }
        nameChanges.append(changes)
    }

    func syncNames() {
        durableNames = names
        nameChanges = []
    }

    /// What a power failure leaves: any of the unsynced changes, file writes torn at 512 bytes.
    func losePower(_ random: inout SeededGenerator) {
        let keep = [0, 100, Int.random(in: 0...100, using: &random)].randomElement(using: &random) ?? 0
        for change in nameChanges where Int.random(in: 0..<100, using: &random) < keep {
            for (name, node) in change { durableNames[name] = node }
        }
        nameChanges = []
        names = durableNames
        for change in changes {
            switch change {
            case .truncate:
                if Int.random(in: 0..<100, using: &random) < keep { Self.apply(change, to: &durable) }
            case .write(let position, let bytes):
                var place = 0
                while place < bytes.count {
                    let end = min(bytes.count, place + 512 - (position + place) % 512)
                    if Int.random(in: 0..<100, using: &random) < keep {
                        Self.apply(.write(position: position + place, bytes: Array(bytes[place..<end])), to: &durable)
                    }
                    place = end
                }
            }
        }
        changes = []
        content = durable
        for (_, node) in names.sorted(by: { $0.key < $1.key }) { node.losePower(&random) }
    }

    /// Every file below, with its path.
    func files(_ path: String = "") -> [(path: String, node: DiskNode)] {
        if !isDirectory { return [(path, self)] }
        return names.sorted { $0.key < $1.key }.flatMap { $0.value.files(path + "/" + $0.key) }
    }

    private static func apply(_ change: Change, to content: inout [UInt8]) {
        switch change {
        case .truncate(let size):
            if size < content.count { content.removeLast(content.count - size) } else { content += [UInt8](repeating: 0, count: size - content.count) }
        case .write(let position, let bytes):
            if position > content.count { content += [UInt8](repeating: 0, count: position - content.count) }
            let overlap = min(bytes.count, content.count - position)
            content.replaceSubrange(position..<(position + overlap), with: bytes[...])
        }
    }
}
