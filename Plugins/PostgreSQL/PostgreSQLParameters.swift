import CPQ
import Martlet

/// The values of one statement as libpq takes them: text that the server parses by the parameter's type, bytes as they
/// are. Belongs to one connection and is used again.
final class PostgreSQLParameters {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var lengths: [CInt] = []
    private var formats: [CInt] = []

    /// Takes the values over in place of the earlier ones.
    ///
    /// - Throws: permanent, `postgres.value`, for text that the server cannot hold.
    func set(_ values: [DataValue], types: [Oid], database: String) throws(ModuleError) {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        for (index, value) in values.enumerated() {
            let start = bytes.count
            var isBinary = false
            let type = index < types.count ? types[index] : 0
            switch value {
            case .null:
                add(offset: -1, length: 0, isBinary: false)
                continue
            case .bool(let value): bytes += (PostgreSQLType.isInteger(type) ? (value ? "1" : "0") : (value ? "true" : "false")).utf8
            case .integer(let value): bytes += String(value).utf8
            case .double(let value):
                let integer = PostgreSQLType.isInteger(type) ? Int64(exactly: value) : nil
                bytes += (integer.map { String($0) } ?? String(value)).utf8
            case .text(let text), .json(let text):
                bytes += text.utf8
                if bytes[start...].contains(0) { throw PostgreSQLValue.holdsNul(database) }
            case .bytes(let value):
                value.withUnsafeBytes { bytes += $0 }
                isBinary = true
            }
            let count = bytes.count - start
            if !isBinary { bytes.append(0) }
            add(offset: start, length: CInt(count), isBinary: isBinary)
        }
    }

    private func add(offset: Int, length: CInt, isBinary: Bool) {
        offsets.append(offset)
        lengths.append(length)
        formats.append(isBinary ? 1 : 0)
    }

    /// Sends the prepared statement with the values.
    func send(_ statement: String, on handle: OpaquePointer) -> CInt {
        bytes.withUnsafeBytes { bytes in
            let pointers = offsets.map { offset in
                offset < 0 ? nil : bytes.baseAddress.map { ($0 + offset).assumingMemoryBound(to: CChar.self) } ?? Self.empty
            }
            return PQsendQueryPrepared(handle, statement, CInt(pointers.count), pointers, lengths, formats, 0)
        }
    }

    /// A pointer for values of no bytes: nil would be NULL.
    private static nonisolated(unsafe) let empty: UnsafePointer<CChar> = {
        // Unsafe: never written after this.
        let memory = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        memory.initialize(to: 0)
        return UnsafePointer(memory)
    }()
}
