internal import CLZ4
internal import CZstd
import Synchronization

/// Decompresses the records of batches into memory of the caller's. What it needs itself does not depend on the input: at
/// most two blocks of 4 MiB. Those not in use are kept, at most ``poolLimit`` of them.
final class BatchDecoder: @unchecked Sendable {
    // Unchecked: whoever took it out of the pool has it alone.
    enum Outcome {
        case done(Int)
        /// The memory does not suffice.
        case full
        case broken(String)
    }

    static let poolLimit = 8
    private static let pool = Mutex<[BatchDecoder]>([])

    private var lz4: OpaquePointer?
    private var zstd: OpaquePointer?

    private init() {}

    deinit {
        LZ4F_freeDecompressionContext(lz4)
        ZSTD_freeDCtx(zstd)
    }

    static func withDecoder<Result>(_ body: (BatchDecoder) -> Result) -> Result {
        let decoder = pool.withLock { $0.popLast() } ?? BatchDecoder()
        defer {
            pool.withLock { pool in
                if pool.count < poolLimit { pool.append(decoder) }
            }
        }
        return body(decoder)
    }

    func decode(_ bytes: UnsafeRawBufferPointer, _ compression: Compression, into target: UnsafeMutableRawBufferPointer) -> Outcome {
        switch compression {
        case .none: .broken("nothing is compressed")
        case .lz4: decodeLZ4(bytes, into: target)
        case .zstd: decodeZstd(bytes, into: target)
        }
    }

    /// The size that the bytes say they will have; `nil` if they do not say. Not to be trusted.
    static func statedSize(_ bytes: UnsafeRawBufferPointer, _ compression: Compression) -> UInt64? {
        switch compression {
        case .none: return nil
        case .lz4:
            // Magic number 4, flags 1, block size 1, content size 8 if bit 3 of the flags is set.
            guard bytes.count >= 14, bytes[4] & 8 != 0, let base = bytes.baseAddress else { return nil }
            return base.littleEndian(at: 6, as: UInt64.self)
        case .zstd:
            let size = ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count)
            // The two largest values say that it is not known, and that this is no frame.
            return size >= UInt64.max - 1 ? nil : size
        }
    }

    private func decodeLZ4(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Outcome {
        if lz4 == nil, LZ4F_isError(LZ4F_createDecompressionContext(&lz4, UInt32(LZ4F_VERSION))) != 0 { return .broken("no memory") }
        guard let source = bytes.baseAddress, let memory = target.baseAddress else { return bytes.isEmpty ? .done(0) : .full }
        var options = LZ4F_decompressOptions_t()
        options.stableDst = 1
        var consumed = 0
        var produced = 0
        var isComplete = false
        while consumed < bytes.count {
            var taken = bytes.count - consumed
            var given = target.count - produced
            let hint = LZ4F_decompress(lz4, memory + produced, &given, source + consumed, &taken, &options)
            if LZ4F_isError(hint) != 0 {
                LZ4F_resetDecompressionContext(lz4)
                return .broken(String(cString: LZ4F_getErrorName(hint)))
            }
            consumed += taken
            produced += given
            isComplete = hint == 0
            if taken == 0, given == 0 { break }
        }
        if isComplete, consumed == bytes.count { return .done(produced) }
        LZ4F_resetDecompressionContext(lz4)
        return produced == target.count ? .full : .broken("the frame is cut short")
    }

    private func decodeZstd(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Outcome {
        if zstd == nil { zstd = ZSTD_createDCtx() }
        if zstd == nil { return .broken("no memory") }
        let count = ZSTD_decompressDCtx(zstd, target.baseAddress, target.count, bytes.baseAddress, bytes.count)
        if ZSTD_isError(count) == 0 { return .done(count) }
        return ZSTD_getErrorCode(count) == ZSTD_error_dstSize_tooSmall ? .full : .broken(String(cString: ZSTD_getErrorName(count)))
    }
}
