import CSQLite
import Martlet

/// Holds the texts of one row while SQLite reads them: one copy each and no allocation, where `SQLITE_TRANSIENT` would
/// allocate for each value. Belongs to one connection and its thread.
final class SQLiteTextScratch {
    /// What a larger row made it grow by is given back.
    private static let keptBytes = 1 << 20

    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)

    deinit {
        memory.deallocate()
    }

    /// Binds the values. They are good until the next call: the statement must have been stepped or cleared by then.
    /// Blobs are not copied: `values` must outlive the step.
    func bind(_ values: [DataValue], to statement: OpaquePointer) -> CInt {
        if memory.count > Self.keptBytes { reserve(4096) }
        while true {
            switch tryBind(values, to: statement) {
            case .done(let code): return code
            // What is bound already points into memory that goes away, so the row starts anew.
            case .needs(let bytes): reserve(bytes)
            }
        }
    }

    private enum Attempt {
        case done(CInt)
        case needs(Int)
    }

    private func tryBind(_ values: [DataValue], to statement: OpaquePointer) -> Attempt {
        var used = 0
        var index: CInt = 0
        for value in values {
            index += 1
            let code: CInt
            switch value {
            case .null: code = sqlite3_bind_null(statement, index)
            case .bool(let value): code = sqlite3_bind_int64(statement, index, value ? 1 : 0)
            case .integer(let value): code = sqlite3_bind_int64(statement, index, value)
            case .double(let value): code = sqlite3_bind_double(statement, index, value)
            case .text(let text), .json(let text):
                let count = text.utf8.count
                guard used + count <= memory.count else { return .needs(max(used + count, memory.count * 2)) }
                code = bind(text, index, statement, at: used)
                used += count
            case .bytes(let bytes): code = Self.bind(bytes, index, statement)
            }
            if code != SQLITE_OK { return .done(code) }
        }
        return .done(SQLITE_OK)
    }

    private func bind(_ text: String, _ index: CInt, _ statement: OpaquePointer, at offset: Int) -> CInt {
        guard let base = memory.baseAddress else { return SQLITE_NOMEM }
        let start = base + offset
        var text = text
        let count = text.withUTF8 { utf8 in
            if let source = utf8.baseAddress { start.copyMemory(from: source, byteCount: utf8.count) }
            return utf8.count
        }
        return sqlite3_bind_text64(
            statement, index, start.assumingMemoryBound(to: CChar.self), UInt64(count), nil, UInt8(SQLITE_UTF8))
    }

    private static func bind(_ bytes: Bytes, _ index: CInt, _ statement: OpaquePointer) -> CInt {
        bytes.withUnsafeBytes { bytes in
            bytes.isEmpty
                ? sqlite3_bind_zeroblob(statement, index, 0)
                : sqlite3_bind_blob64(statement, index, bytes.baseAddress, UInt64(bytes.count), nil)
        }
    }

    private func reserve(_ bytes: Int) {
        memory.deallocate()
        memory = .allocate(byteCount: bytes, alignment: 1)
    }
}
