import EmbeddedLog
import Glibc
import Synchronization

/// An open file of a simulated disk.
final class SimulatedFile: LogFile, @unchecked Sendable {
    // Unchecked: the node is only touched inside the disk's lock.
    private let disk: SimulatedDisk
    private let node: DiskNode
    private let path: String
    private let boot: Int

    init(disk: SimulatedDisk, node: DiskNode, path: String, boot: Int) {
        self.disk = disk
        self.node = node
        self.path = path
        self.boot = boot
    }

    func size() throws(LogError) -> Int64 {
        try disk.look(path, boot: boot) { _ throws(LogError) in Int64(node.content.count) }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(LogError) -> Int {
        try disk.look(path, boot: boot) { state throws(LogError) in
            try state.failMaybe(state.faults.readErrorPerMille, path, "read")
            let start = Int(position)
            guard start < node.content.count else { return 0 }
            let end = min(node.content.count, start + buffer.count)
            buffer.copyBytes(from: node.content[start..<end])
            return end - start
        }
    }

    func write(_ buffers: [UnsafeRawBufferPointer], at position: Int64) throws(LogError) {
        let bytes = buffers.count == 1 ? Array(buffers[0]) : buffers.flatMap { Array($0) }
        try disk.change(path, true, boot: boot) { state throws(LogError) in
            do throws(LogError) {
                try state.failMaybe(state.faults.writeErrorPerMille, path, "write")
            } catch {
                // Some of it may have been written before.
                node.write(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &state.random))), at: Int(position))
                throw error
            }
            let growth = max(0, Int(position) + bytes.count - node.content.count)
            if growth > 0, let capacity = state.faults.capacity, state.usedBytes + growth > capacity {
                // As much as there is room for: a short write, then the error.
                let room = max(0, capacity - state.usedBytes)
                node.write(Array(bytes.prefix(max(0, bytes.count - growth + room))), at: Int(position))
                throw LogError(.storageFull, "cannot write: the simulated disk is full", path: path, errno: ENOSPC)
            }
            if state.planted == .acknowledgedBeforeJournal, path.hasSuffix(".journal"), position > 0 {
                if let late = state.late { late.node.write(late.bytes, at: late.position) }
                state.late = (node, bytes, Int(position))
                return
            }
            node.write(bytes, at: Int(position))
        }
    }

    func sync() throws(LogError) {
        try disk.change(path, true, boot: boot) { state throws(LogError) in
            do throws(LogError) {
                try state.failMaybe(state.faults.syncErrorPerMille, path, "sync")
            } catch {
                // The kernel marks the pages clean: they may never reach the disk, and the next sync succeeds.
                node.changes = []
                throw error
            }
            switch state.planted {
            case .skippedSync: return
            case .journalFreedTooEarly where path.hasSuffix(".log"): return
            default: node.sync()
            }
        }
    }

    func truncate(to size: Int64) throws(LogError) {
        try disk.change(path, true, boot: boot) { _ throws(LogError) in node.truncate(to: Int(size)) }
    }
}
