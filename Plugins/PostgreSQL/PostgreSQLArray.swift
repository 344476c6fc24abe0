import CPQ
import Glibc
import Martlet

/// Writes one-dimensional arrays in PostgreSQL's binary format (array_recv in arrayfuncs.c), all numbers big-endian:
///
///     dimensions (4 bytes: 1, or 0 if empty) │ has nulls (4) │ element type (4) │ count (4) │ lower bound (4: 1)
///     then for each element: length (4; -1 for NULL) │ that many bytes
struct PostgreSQLArray: Sendable {
    /// What the elements are sent as; everything else goes as text that the server casts.
    enum Element: Sendable {
        case integer, double, bool, bytes, text

        init(type: Oid) {
            switch type {
            case PostgreSQLType.int8, PostgreSQLType.int4, PostgreSQLType.int2: self = .integer
            case PostgreSQLType.float8, PostgreSQLType.float4: self = .double
            case PostgreSQLType.bool: self = .bool
            case PostgreSQLType.bytea: self = .bytes
            default: self = .text
            }
        }

        var arrayType: String {
            switch self {
            case .integer: "bigint[]"
            case .double: "double precision[]"
            case .bool: "boolean[]"
            case .bytes: "bytea[]"
            case .text: "text[]"
            }
        }

        fileprivate var oid: Oid {
            switch self {
            case .integer: PostgreSQLType.int8
            case .double: PostgreSQLType.float8
            case .bool: PostgreSQLType.bool
            case .bytes: PostgreSQLType.bytea
            case .text: PostgreSQLType.text
            }
        }
    }

    private(set) var bytes: [UInt8] = []

    /// Writes the values of one column in place of the earlier ones.
    ///
    /// - Throws: permanent, `postgres.value`, for a value that the column cannot take.
    mutating func set(
        _ rows: [[DataValue]], column index: Int, _ column: PostgreSQLInsert.Column, database: String
    ) throws(ModuleError) {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 4 << 20)
        bytes.reserveCapacity(20 + 48 * rows.count)
        append(Int32(1))
        append(Int32(1))
        append(Int32(bitPattern: column.element.oid))
        append(Int32(rows.count))
        append(Int32(1))
        for row in rows {
            guard appendElement(row[index], column.element) else {
                throw PostgreSQLValue.mismatch(database, column: column.name, type: column.type)
            }
        }
    }

    /// False if the value cannot be such an element.
    private mutating func appendElement(_ value: DataValue, _ element: Element) -> Bool {
        switch (element, value) {
        case (_, .null): append(Int32(-1))
        case (.integer, .integer(let number)): appendNumber(UInt64(bitPattern: number))
        case (.integer, .bool(let flag)): appendNumber(flag ? 1 : 0)
        case (.integer, .double(let number)):
            guard let integer = Int64(exactly: number) else { return false }
            appendNumber(UInt64(bitPattern: integer))
        case (.integer, .text(let text)), (.integer, .json(let text)):
            guard let integer = Int64(text) else { return false }
            appendNumber(UInt64(bitPattern: integer))
        case (.double, .double(let number)): appendNumber(number.bitPattern)
        case (.double, .integer(let number)): appendNumber(Double(number).bitPattern)
        case (.double, .text(let text)), (.double, .json(let text)):
            guard let number = Double(text) else { return false }
            appendNumber(number.bitPattern)
        case (.bool, .bool(let flag)): appendFlag(flag)
        case (.bool, .integer(let number)):
            guard number == 0 || number == 1 else { return false }
            appendFlag(number == 1)
        case (.bool, .text(let text)):
            guard text == "true" || text == "false" else { return false }
            appendFlag(text == "true")
        case (.bytes, .bytes(let value)): append(value)
        case (.bytes, .text(let text)), (.bytes, .json(let text)): appendText(text)
        case (.text, .text(let text)), (.text, .json(let text)): return appendText(text)
        case (.text, .integer(let number)): appendText(String(number))
        case (.text, .double(let number)): appendText(String(number))
        case (.text, .bool(let flag)): appendText(flag ? "true" : "false")
        case (.text, .bytes(let value)): return appendText(value.string)
        case (.double, .bool), (.double, .bytes), (.integer, .bytes), (.bool, .double), (.bool, .json), (.bool, .bytes),
            (.bytes, .integer), (.bytes, .double), (.bytes, .bool):
            return false
        }
        return true
    }

    /// False if it holds a NUL character, which text cannot.
    @discardableResult
    private mutating func appendText(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { utf8 in
            append(Int32(utf8.count))
            bytes.append(contentsOf: utf8)
            return utf8.baseAddress.map { memchr($0, 0, utf8.count) == nil } ?? true
        }
    }

    private mutating func append(_ value: Bytes) {
        append(Int32(value.count))
        value.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    private mutating func appendFlag(_ flag: Bool) {
        append(Int32(1))
        bytes.append(flag ? 1 : 0)
    }

    private mutating func appendNumber(_ bits: UInt64) {
        append(Int32(8))
        withUnsafeBytes(of: bits.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ number: Int32) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
