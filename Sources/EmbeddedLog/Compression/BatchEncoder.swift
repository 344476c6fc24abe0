internal import CLZ4
internal import CZstd
import Glibc
import Synchronization

/// Compresses the records of batches, on the thread that appends. Those not in use are kept, at most ``poolLimit`` of them
/// with a buffer of at most ``keptBytes`` each.
final class BatchEncoder: @unchecked Sendable {
    // Unchecked: whoever took it out of the pool has it alone.
    static let poolLimit = 8
    static let keptBytes = 1 << 20
    /// Kafka's default.
    private static let zstdLevel: Int32 = 3
    /// Shorter sections are left as they are: a frame alone takes 15 bytes or more.
    static let minBytes = 64

    private static let pool = Mutex<[BatchEncoder]>([])

    private var buffer: UnsafeMutableRawPointer?
    private var capacity = 0
    private var zstd: OpaquePointer?

    private init() {}

    deinit {
        free(buffer)
        ZSTD_freeCCtx(zstd)
    }

    /// Calls `body` with the compressed bytes, which are shorter than `bytes`.
    /// - Returns: `nil` if they would not be shorter, or the library refuses.
    static func compress<Result>(
        _ bytes: UnsafeRawBufferPointer, with compression: Compression, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result? {
        guard compression != .none, bytes.count >= minBytes else { return nil }
        let encoder = pool.withLock { $0.popLast() } ?? BatchEncoder()
        defer { encoder.giveBack() }
        guard let count = encoder.encode(bytes, compression), count < bytes.count, let base = encoder.buffer else { return nil }
        return body(UnsafeRawBufferPointer(start: base, count: count))
    }

    private func giveBack() {
        if capacity > Self.keptBytes {
            free(buffer)
            buffer = nil
            capacity = 0
        }
        Self.pool.withLock { pool in
            if pool.count < Self.poolLimit { pool.append(self) }
        }
    }

    private func encode(_ bytes: UnsafeRawBufferPointer, _ compression: Compression) -> Int? {
        switch compression {
        case .none: nil
        case .lz4: encodeLZ4(bytes)
        case .zstd: encodeZstd(bytes)
        }
    }

    private func encodeLZ4(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var preferences = LZ4F_preferences_t()
        // Kafka's clients refuse blocks that refer to earlier ones.
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.blockSizeID = LZ4F_max64KB
        preferences.frameInfo.contentSize = UInt64(bytes.count)
        guard reserve(LZ4F_compressFrameBound(bytes.count, &preferences)) else { return nil }
        let count = LZ4F_compressFrame(buffer, capacity, bytes.baseAddress, bytes.count, &preferences)
        return LZ4F_isError(count) == 0 ? count : nil
    }

    private func encodeZstd(_ bytes: UnsafeRawBufferPointer) -> Int? {
        if zstd == nil { zstd = ZSTD_createCCtx() }
        guard zstd != nil, reserve(ZSTD_compressBound(bytes.count)) else { return nil }
        let count = ZSTD_compressCCtx(zstd, buffer, capacity, bytes.baseAddress, bytes.count, Self.zstdLevel)
        return ZSTD_isError(count) == 0 ? count : nil
    }

    private func reserve(_ count: Int) -> Bool {
        if count <= capacity { return true }
        free(buffer)
        buffer = malloc(count)
        capacity = buffer == nil ? 0 : count
        return buffer != nil
    }
}
