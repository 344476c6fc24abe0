import Martlet

/// Writes replies in RESP2 or RESP3.
struct ReplyWriter {
    /// 2 or 3.
    var version = 2
    private(set) var bytes: [UInt8] = []

    mutating func status(_ text: StaticString) {
        bytes.append(UInt8(ascii: "+"))
        bytes.append(literal: text)
        end()
    }

    /// - Parameter text: begins with a code in capitals; without line ends.
    mutating func error(_ text: String) {
        bytes.append(UInt8(ascii: "-"))
        bytes.append(contentsOf: text.utf8)
        end()
    }

    mutating func integer(_ number: Int) {
        header(":", number)
    }

    mutating func bulk(_ value: Bytes) {
        header("$", value.count)
        bytes.append(value)
        end()
    }

    mutating func bulk(_ text: String) {
        header("$", text.utf8.count)
        bytes.append(contentsOf: text.utf8)
        end()
    }

    mutating func null() {
        bytes.append(literal: version == 3 ? "_\r\n" : "$-1\r\n")
    }

    mutating func array(_ count: Int) {
        header("*", count)
    }

    /// What a client gets without having asked for it, or in place of an answer; an array in RESP2.
    mutating func push(_ count: Int) {
        header(version == 3 ? ">" : "*", count)
    }

    /// Pairs; an array in RESP2.
    mutating func map(_ pairs: Int) {
        header(version == 3 ? "%" : "*", version == 3 ? pairs : pairs * 2)
    }

    /// Hands out what was written.
    mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    private mutating func header(_ mark: Unicode.Scalar, _ count: Int) {
        bytes.append(UInt8(ascii: mark))
        bytes.append(decimal: Int64(count))
        end()
    }

    private mutating func end() {
        bytes.append(literal: "\r\n")
    }
}
