import Martlet

/// A delivery that was read for sending.
struct Delivery: Sendable {
    let id: Int64
    /// Deliveries of one endpoint and key go one after the other; those without a key in any order.
    let key: Bytes?
    let messageID: String
    /// What the endpoint's template made; nil for the endpoint's own URL.
    let url: String?
    let headers: [(name: String, value: String)]
    let body: Bytes
    /// Attempts so far, whatever became of them.
    let attempts: Int
    /// Failed attempts of the schedule so far.
    let failures: Int

    /// What it takes up in memory, about.
    var size: Int { body.count + 512 }

    /// Nil if the row does not have the types it was written with.
    init?(row: [DataValue]) {
        guard row.count == 8, case .integer(let id) = row[0], case .text(let messageID) = row[2],
            case .integer(let attempts) = row[6], case .integer(let failures) = row[7]
        else { return nil }
        self.init(
            id: id, key: row[1].bytes, messageID: messageID, url: row[3].string, headers: RenderedMessage.headers(ofText: row[4].string),
            body: row[5].bytes ?? .empty, attempts: Int(attempts), failures: Int(failures))
    }

    init(
        id: Int64, key: Bytes?, messageID: String, url: String? = nil, headers: [(name: String, value: String)] = [], body: Bytes,
        attempts: Int = 0, failures: Int = 0
    ) {
        self.id = id
        self.key = key
        self.messageID = messageID
        self.url = url
        self.headers = headers
        self.body = body
        self.attempts = attempts
        self.failures = failures
    }
}

/// The head of a key that waits for its retry.
struct HeldDelivery: Sendable {
    let id: Int64
    let key: Bytes?
    /// Milliseconds since the epoch.
    let dueAt: Int64
}

extension DataValue {
    var bytes: Bytes? {
        switch self {
        case .bytes(let bytes): bytes
        case .text(let text), .json(let text): Bytes(text)
        case .null, .bool, .integer, .double: nil
        }
    }

    var string: String? {
        switch self {
        case .text(let text), .json(let text): text
        case .bytes(let bytes): bytes.string
        case .null, .bool, .integer, .double: nil
        }
    }

    var int64: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }
}
