import CPQ
import Martlet

/// Values as the server sends them: text, read by the column's type.
enum PostgreSQLValue {
    /// The error for text with a NUL character.
    static func holdsNul(_ database: String) -> ModuleError {
        .permanent("postgres.value", "database `\(database)`: a text holds a NUL character, which PostgreSQL cannot keep")
    }

    /// The error for a value that its column cannot take.
    static func mismatch(_ database: String, column: String, type: String) -> ModuleError {
        .permanent("postgres.value", "database `\(database)`: a value does not fit the column `\(column)` of type \(type)")
    }

    /// The columns' names.
    static func columns(_ result: OpaquePointer) -> [String] {
        (0..<PQnfields(result)).map { index in PQfname(result, index).map { String(cString: $0) } ?? "" }
    }

    /// One row; adds the size of its values to `bytes`.
    static func row(_ result: OpaquePointer, _ row: CInt, _ bytes: inout Int) -> [DataValue] {
        var values: [DataValue] = []
        let count = PQnfields(result)
        values.reserveCapacity(Int(count))
        for column in 0..<count {
            guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else {
                values.append(.null)
                continue
            }
            let length = Int(PQgetlength(result, row, column))
            bytes += length
            let text = UnsafeRawBufferPointer(start: start, count: length)
            values.append(value(text, type: PQftype(result, column)))
        }
        return values
    }

    private static func value(_ text: UnsafeRawBufferPointer, type: Oid) -> DataValue {
        if type == PostgreSQLType.bytea { return .bytes(decodedHex(text)) }
        let string = String(decoding: text, as: UTF8.self)
        switch type {
        case PostgreSQLType.bool: return .bool(string == "t")
        case PostgreSQLType.int8, PostgreSQLType.int4, PostgreSQLType.int2, PostgreSQLType.oid:
            return Int64(string).map { .integer($0) } ?? .text(string)
        case PostgreSQLType.float8, PostgreSQLType.float4: return Double(string).map { .double($0) } ?? .text(string)
        case PostgreSQLType.numeric: return numeric(string)
        case PostgreSQLType.json, PostgreSQLType.jsonb: return .json(string)
        default: return .text(string)
        }
    }

    /// A number if that loses nothing, else its digits as text.
    private static func numeric(_ digits: String) -> DataValue {
        if let integer = Int64(digits) { return .integer(integer) }
        let significant = digits.utf8.filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
        if significant <= 15, let double = Double(digits) { return .double(double) }
        return .text(digits)
    }

    /// `\x0aff`: the format that the connection asks for.
    private static func decodedHex(_ text: UnsafeRawBufferPointer) -> Bytes {
        func digit(_ byte: UInt8) -> UInt8 { byte < 0x3A ? byte & 0x0F : (byte & 0x0F) + 9 }
        guard text.count >= 2 else { return .empty }
        let count = (text.count - 2) / 2
        return Bytes(capacity: count) { target in
            for index in 0..<count {
                target[index] = digit(text[2 + index * 2]) << 4 | digit(text[3 + index * 2])
            }
            return count
        }
    }
}
