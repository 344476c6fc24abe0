import Martlet

/// One entry of a `results` list: a word, an object, or a list of objects.
struct ExecResult {
    private static let lookup = PayloadLookup(
        ["/retry", "/reject", "/block", "/after_ms", "/payload", "/payload_base64", "/key", "/headers", "/id"]
            .compactMap { JSONPointer($0) })

    /// The word, if the entry is one.
    let word: String?
    /// The error that the entry reports.
    private(set) var error: ModuleError?
    /// The fields of an event, if the entry has any.
    private(set) var event = ExecEvent()

    /// - Parameter entry: checked JSON.
    init(_ entry: Bytes, _ reader: any PayloadReader) throws(ModuleError) {
        word = JSONText.string(entry)
        guard word == nil else { return }
        guard entry.count > 0, entry[0] == UInt8(ascii: "{") else {
            throw ExecFailure.badOutput("gave a result that is neither a word nor an object: \(entry.string.prefix(40))")
        }
        let fields: [DataValue?]
        do throws(PayloadError) {
            (fields, event.payload, event.headers) = try reader.withTokens(of: Self.lookup, in: entry) { tokens in
                func json(_ token: PayloadToken) -> Bytes? {
                    token.kind == .missing ? nil : entry.slice(token.offset..<token.offset + token.count)
                }
                return (tokens.map { $0.value(in: entry) }, json(tokens[4]), json(tokens[7]))
            }
        } catch {
            throw ExecFailure.badOutput("gave a result that cannot be read: \(error.message)")
        }
        let after: Duration? = if case .integer(let wait)? = fields[3] { .milliseconds(max(0, min(wait, 3_600_000))) } else { nil }
        if let reason = fields[0] {
            error = .transient("exec.retry", reason.rendered, retryAfter: after)
        } else if let reason = fields[1] {
            error = .permanent("exec.rejected", reason.rendered)
        } else if let reason = fields[2] {
            error = .blocked("exec.blocked", reason.rendered)
        }
        if let text = fields[5] {
            guard let bytes = Base64.decode(text.rendered) else { throw ExecFailure.badOutput("gave a payload_base64 that is no base64") }
            event.payload = bytes
        }
        if let key = fields[6] { event.key = .some(key.keyBytes) }
        event.id = fields[8]?.keyBytes
    }

    /// The list's entries; a single word stands for all.
    static func entries(_ results: Bytes, count: Int, _ reader: any PayloadReader) throws(ModuleError) -> [Bytes] {
        if JSONText.string(results) != nil { return Array(repeating: results, count: count) }
        guard let entries = try? reader.elements(of: results) else {
            throw ExecFailure.badOutput("gave \"results\" that are neither a word nor a list")
        }
        guard entries.count == count else {
            throw ExecFailure.badOutput("gave \(entries.count) results for \(count) records; it must give one for each")
        }
        return entries
    }
}

/// The fields of an event that a process wrote; what it left out is nil.
struct ExecEvent {
    var payload: Bytes?
    /// A JSON object.
    var headers: Bytes?
    /// Nil inside for JSON null: no key.
    var key: Bytes??
    var id: Bytes?

    /// The headers in their order; those that are null are left out.
    var headerList: [Header] {
        guard let headers else { return [] }
        return JSONMembers(of: headers).compactMap { member in
            guard let text = JSONText.string(member.value) else {
                return member.value == "null" ? nil : Header(member.key, member.value)
            }
            return Header(member.key, Bytes(text))
        }
    }
}
