package import EmbeddedLog
import Synchronization

/// A disk in memory that loses, tears and reorders what was not synced, fills up and fails, all
/// from one seed.
package final class SimulatedDisk: LogStorage {
    final class State: @unchecked Sendable {
        // Unchecked: only used while the mutex around it is held.
        var root = DiskNode(isDirectory: true)
        var random: SeededGenerator
        var faults = DiskFaults()
        let planted: PlantedBug?
        /// Counts the power failures: what was opened before one is dead after it.
        var boot = 0
        var powered = true
        var changes = 0
        var syncs = 0
        var locked = false
        /// The write that `acknowledgedBeforeJournal` holds back.
        var late: (node: DiskNode, bytes: [UInt8], position: Int)?

        init(seed: UInt64, planted: PlantedBug?) {
            random = SeededGenerator(seed: seed)
            self.planted = planted
        }
    }

    let state: Mutex<State>

    package init(seed: UInt64, planted: PlantedBug? = nil) {
        state = Mutex(State(seed: seed, planted: planted))
    }

    package var faults: DiskFaults {
        get { state.withLock { $0.faults } }
        set {
            state.withLock { state in
                state.faults = newValue
                state.changes = 0
            }
        }
    }

    /// Changes made since the faults were set.
    package var changeCount: Int { state.withLock { $0.changes } }

    /// Cuts the power and turns the machine on again, without faults.
    package func losePower() {
        state.withLock { state in
            state.late = nil
            var random = state.random
            state.root.losePower(&random)
            state.random = random
            state.boot += 1
            state.powered = true
            state.locked = false
            state.faults = DiskFaults()
            state.changes = 0
        }
    }

    /// Whether a fault has cut the power.
    package var isOff: Bool { state.withLock { !$0.powered } }

    /// What `kill -9` leaves: all that was written.
    package func killProcess() {
        state.withLock { state in
            state.boot += 1
            state.locked = false
            state.faults = DiskFaults()
            state.changes = 0
        }
    }

    /// Flips one bit of one file, on the platter too; returns its path and the position.
    /// - Parameter spared: bytes of a file that stay as they are.
    package func rot(sparing spared: (path: String, bytes: Range<Int64>)?) -> (path: String, position: Int)? {
        state.withLock { state in
            let files = state.root.files().filter { !$0.node.content.isEmpty }
            guard let file = files.randomElement(using: &state.random) else { return nil }
            let position = Int.random(in: 0..<file.node.content.count, using: &state.random)
            if let spared, spared.path == file.path, spared.bytes.contains(Int64(position)) { return nil }
            let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &state.random)
            file.node.sync()
            file.node.content[position] ^= bit
            file.node.durable[position] ^= bit
            return (file.path, position)
        }
    }

    package func open(_ path: String, create: Bool) throws(LogError) -> any LogFile {
        try change(path, create) { state throws(LogError) in
            let (parent, name) = try state.parent(path)
            if let node = parent.names[name] { return SimulatedFile(disk: self, node: node, path: path, boot: state.boot) }
            guard create else { throw state.missing(path) }
            let node = DiskNode(isDirectory: false)
            parent.rename([(name, node)])
            return SimulatedFile(disk: self, node: node, path: path, boot: state.boot)
        }
    }

    package func size(_ path: String) throws(LogError) -> Int64? {
        try look(path) { state throws(LogError) in
            try state.node(path).map { Int64($0.content.count) }
        }
    }

    package func list(_ directory: String) throws(LogError) -> [String] {
        try look(directory) { state throws(LogError) in try state.node(directory)?.names.keys.sorted() ?? [] }
    }

    package func createDirectory(_ path: String) throws(LogError) {
        try change(path, true) { state throws(LogError) in
            var node = state.root
            for part in path.split(separator: "/").map(String.init) {
                if let next = node.names[part] {
                    node = next
                } else {
                    let next = DiskNode(isDirectory: true)
                    node.rename([(part, next)])
                    node = next
                }
            }
        }
    }

    package func rename(_ from: String, to: String) throws(LogError) {
        try change(from, true) { state throws(LogError) in
            let (parent, name) = try state.parent(from)
            let (newParent, newName) = try state.parent(to)
            guard let node = parent.names[name], parent === newParent else { throw state.missing(from) }
            parent.rename([(name, nil), (newName, node)])
        }
    }

    package func remove(_ path: String) throws(LogError) {
        try change(path, true) { state throws(LogError) in
            guard try state.node(path) != nil else { return }
            let (parent, name) = try state.parent(path)
            parent.rename([(name, nil)])
        }
    }

    package func syncDirectory(_ path: String) throws(LogError) {
        try change(path, true) { state throws(LogError) in
            guard let node = try state.node(path) else { throw state.missing(path) }
            try state.failMaybe(state.faults.syncErrorPerMille, path, "sync the folder")
            if state.planted != .skippedDirectorySync { node.syncNames() }
        }
    }

    package func freeBytes(_ path: String) throws(LogError) -> Int64 {
        try look(path) { state throws(LogError) in
            guard let capacity = state.faults.capacity else { return 1 << 40 }
            return Int64(max(0, capacity - state.usedBytes))
        }
    }

    package func lock(_ path: String) throws(LogError) -> any LogLock {
        try change(path, true) { state throws(LogError) in
            if state.locked { throw LogError(.locked, "the simulated disk is in use", path: path) }
            state.locked = true
            return SimulatedLock(disk: self, boot: state.boot)
        }
    }
}

private final class SimulatedLock: LogLock {
    private let disk: SimulatedDisk
    private let boot: Int

    init(disk: SimulatedDisk, boot: Int) {
        self.disk = disk
        self.boot = boot
    }

    deinit { disk.state.withLock { if $0.boot == boot { $0.locked = false } } }
}
