import Martlet

/// An endpoint's secrets, the newest first, and until when each signs.
struct KeyRing: Sendable {
    /// A secret and its end, in milliseconds since the epoch; nil for none.
    struct Entry: Sendable {
        let key: SigningKey
        var until: Int64?
    }

    /// Secrets that an endpoint may have at the same time: each costs a signature a delivery.
    static let limit = 10

    var entries: [Entry]
    /// Whether one was encrypted in the database with a previous key.
    private(set) var isOutdated = false

    init(_ entries: [Entry]) {
        self.entries = entries
    }

    /// The value of `webhook-signature`: a signature of every secret in force, with a space between.
    ///
    /// - Parameters:
    ///   - id: the message's id.
    ///   - timestamp: seconds since the epoch, as `webhook-timestamp` says.
    ///   - now: milliseconds since the epoch.
    func signatures(id: String, timestamp: Int64, body: Bytes, now: Int64) -> String {
        var content: [UInt8] = []
        content.reserveCapacity(id.utf8.count + 16 + body.count)
        content += id.utf8
        content.append(UInt8(ascii: "."))
        content += String(timestamp).utf8
        content.append(UInt8(ascii: "."))
        body.withUnsafeBytes { content += $0 }
        return content.withUnsafeBytes { bytes in
            entries.lazy.filter { $0.until.map { now < $0 } ?? true }.map { $0.key.signature(of: bytes) }.joined(separator: " ")
        }
    }

    /// Puts a new secret first; those before it sign on until a time, and those whose time is over are forgotten.
    mutating func rotate(to key: SigningKey, keepingOthersUntil end: Int64, now: Int64) {
        entries = entries.filter { $0.until.map { now < $0 } ?? true }.map { entry in
            Entry(key: entry.key, until: min(entry.until ?? end, end))
        }
        entries = Array(([Entry(key: key, until: nil)] + entries.filter { $0.until.map { $0 > now } ?? true }).prefix(Self.limit))
    }

    // MARK: In the database: `[{"key": "whsec_…", "until": 1700000000000}]`, each key as the vault has it.

    init(json: String, of endpoint: String, _ vault: SecretVault) throws(ModuleError) {
        let problems = ConfigProblems(file: "secrets")
        guard case .array(let items)? = JSONReader.read(json, problems: problems)?.kind else { throw Self.damaged }
        var entries: [Entry] = []
        for item in items {
            guard case .string(let text)? = item["key"]?.kind else { throw Self.damaged }
            let opened = try vault.opened(text, of: endpoint)
            guard let key = try? SigningKey(opened.secret) else { throw Self.damaged }
            if opened.isOutdated { isOutdated = true }
            var until: Int64?
            if case .number(let number)? = item["until"]?.kind { until = number.int64 }
            entries.append(Entry(key: key, until: until))
        }
        self.entries = entries
    }

    func json(of endpoint: String, _ vault: SecretVault) throws(ModuleError) -> String {
        var items: [JSONNode] = []
        for entry in entries {
            let text = try vault.closed(entry.key.text, of: endpoint)
            items.append(["key": .string(text), "until": entry.until.map { .integer($0) } ?? .null])
        }
        return JSONWriter.text(.array(items))
    }

    private static let damaged = ModuleError.blocked(
        "webhook.bad_row", "the secrets of an endpoint in martlet_webhook_endpoints cannot be read; was the row edited?")
}
