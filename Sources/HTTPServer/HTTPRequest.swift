import CEvent

/// One complete request that passed the parser: its framing, Host, target and percent escapes are valid.
///
/// The head is kept as the bytes received, the fields as ranges into them; a String is made only when asked for.
///
/// `@unchecked Sendable`: the parser sets `body` before it hands the request out; nothing changes afterwards.
package final class HTTPRequest: @unchecked Sendable {
    /// The method.
    package let method: HTTPMethod
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    package let minorVersion: UInt8
    /// Whether the client is willing to send another request on this connection.
    package let wantsKeepAlive: Bool
    /// The content, decoded from its transfer coding; empty without one.
    package internal(set) var body = SharedBytes.empty

    let pathRange: FieldRange.Part
    let queryRange: FieldRange.Part?
    private let targetRange: FieldRange.Part
    private let fields: UnsafePointer<FieldRange>
    private let fieldCount: Int
    let head: UnsafePointer<UInt8>

    init(draft: RequestDraft, fields source: [FieldRange], head bytes: UnsafePointer<UInt8>, count: Int) {
        method = draft.method
        minorVersion = draft.minorVersion
        wantsKeepAlive = draft.wantsKeepAlive
        targetRange = draft.target
        pathRange = draft.path
        queryRange = draft.query
        fieldCount = source.count
        // One block: the table of ranges, then the bytes they point into.
        let tableBytes = source.count * MemoryLayout<FieldRange>.stride
        let memory = allocateMemory(tableBytes + count)
        source.withUnsafeBytes { table in
            if let start = table.baseAddress { memcpy(memory, start, tableBytes) }
        }
        memcpy(memory + tableBytes, bytes, count)
        fields = UnsafePointer(memory.bindMemory(to: FieldRange.self, capacity: source.count))
        head = UnsafePointer((memory + tableBytes).bindMemory(to: UInt8.self, capacity: count))
    }

    deinit {
        free(UnsafeMutableRawPointer(mutating: fields))
    }

    /// The request target as received, for instance `/users/7?limit=5`.
    package var target: String { text(targetRange) }

    /// The path as received, percent escapes kept.
    package var path: String { text(pathRange) }

    /// The query as received, without `?`; nil without one.
    package var query: String? { queryRange.map { text($0) } }

    /// The header field's value, or nil. Values of a field that came several times are joined with `, ` (RFC 9110
    /// section 5.3). The name's case does not matter. Bytes that are not UTF-8 become U+FFFD.
    package func header(_ name: String) -> String? {
        var name = name
        return name.withUTF8 { wanted in
            var found: String?
            for index in 0..<fieldCount where matches(fields[index], wanted) {
                let value = text(fields[index].value)
                found = found.map { "\($0), \(value)" } ?? value
            }
            return found
        }
    }

    /// All header fields in the order received.
    package var headers: [(name: String, value: String)] {
        (0..<fieldCount).map { (text(fields[$0].name), text(fields[$0].value)) }
    }

    private func matches(_ field: FieldRange, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
        guard field.name.count == wanted.count else { return false }
        let start = head + field.name.start
        for position in 0..<wanted.count where asciiLowercase(start[position]) != asciiLowercase(wanted[position]) {
            return false
        }
        return true
    }

    private func text(_ part: FieldRange.Part) -> String {
        String(decoding: bytes(part), as: UTF8.self)
    }

    func bytes(_ part: FieldRange.Part) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: head + part.start, count: part.count)
    }
}
