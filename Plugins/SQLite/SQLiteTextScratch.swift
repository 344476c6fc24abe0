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
        reserve(values)
        var used = 0
        for position in values.indices {
            let index = CInt(position + 1)
            let code: CInt
            switch values[position] {
            case .null: code = sqlite3_bind_null(statement, index)
            case .bool(let value): code = sqlite3_bind_int64(statement, index, value ? 1 : 0)
            case .integer(let value): code = sqlite3_bind_int64(statement, index, value)
            case .double(let value): code = sqlite3_bind_double(statement, index, value)
            case .text(let text), .json(let text): code = bind(text, index, statement, &used)
            case .bytes(let bytes): code = Self.bind(bytes, index, statement)
            }
            if code != SQLITE_OK { return code }
        }
        return SQLITE_OK
    }

    private func bind(_ text: String, _ index: CInt, _ statement: OpaquePointer, _ used: inout Int) -> CInt {
        var text = text
        let count = text.withUTF8 { utf8 in
            memory[used...].copyBytes(from: UnsafeRawBufferPointer(utf8))
            return utf8.count
        }
        let start = memory.baseAddress.map { ($0 + used).assumingMemoryBound(to: CChar.self) }
        used += count
        return sqlite3_bind_text64(statement, index, start, UInt64(count), nil, UInt8(SQLITE_UTF8))
    }

    private static func bind(_ bytes: Bytes, _ index: CInt, _ statement: OpaquePointer) -> CInt {
        bytes.withUnsafeBytes { bytes in
            bytes.isEmpty
                ? sqlite3_bind_zeroblob(statement, index, 0)
                : sqlite3_bind_blob64(statement, index, bytes.baseAddress, UInt64(bytes.count), nil)
        }
    }

    private func reserve(_ values: [DataValue]) {
        var needed = 0
        for value in values {
            if case .text(let text) = value { needed += text.utf8.count }
            if case .json(let text) = value { needed += text.utf8.count }
        }
        let isTooLarge = memory.count > Self.keptBytes && needed <= Self.keptBytes
        guard needed > memory.count || isTooLarge else { return }
        memory.deallocate()
        memory = .allocate(byteCount: max(4096, needed + needed / 2), alignment: 1)
    }
}
