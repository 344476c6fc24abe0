import Martlet

/// Speaks to a host's admin API. Calls block: it is for commands, which do nothing else meanwhile.
final class AdminClient {
    let address: AdminAddress
    private let transfer: AdminTransfer

    init(_ address: AdminAddress) throws(ClientError) {
        self.address = address
        transfer = try AdminTransfer()
    }

    /// The host that a command's options and config name.
    convenience init(_ arguments: Arguments) throws {
        try self.init(AdminAddress.find(arguments))
    }

    /// - Parameters:
    ///   - path: the segments after the origin; each is percent-encoded.
    ///   - seconds: the time that the answer may take.
    /// - Throws: ``ClientError``, also for an answer that is no success, with the host's own words.
    func get(_ path: [String], query: [(String, String)] = [], seconds: Int = 30) throws(ClientError) -> AdminAnswer {
        try send("GET", path, query, body: nil, type: nil, seconds: seconds)
    }

    /// Posts JSON, or nothing.
    func post(_ path: [String], _ json: JSONNode? = nil, seconds: Int = 60) throws(ClientError) -> AdminAnswer {
        let body = json.map { JSONWriter.bytes($0) } ?? []
        return try send("POST", path, [], body: body, type: "application/json", seconds: seconds)
    }

    /// Changes a resource.
    func patch(_ path: [String], _ json: JSONNode) throws(ClientError) -> AdminAnswer {
        try send("PATCH", path, [], body: JSONWriter.bytes(json), type: "application/json", seconds: 60)
    }

    /// Removes a resource.
    func delete(_ path: [String]) throws(ClientError) -> AdminAnswer {
        try send("DELETE", path, [], body: nil, type: nil, seconds: 60)
    }

    /// Posts a body of another type.
    func post(
        _ path: [String], query: [(String, String)], body: [UInt8], type: String
    ) throws(ClientError) -> AdminAnswer {
        try send("POST", path, query, body: body, type: type, seconds: 60)
    }

    private func send(
        _ method: String, _ path: [String], _ query: [(String, String)], body: [UInt8]?, type: String?, seconds: Int
    ) throws(ClientError) -> AdminAnswer {
        var url = address.origin
        for segment in path { url += "/" + Self.encoded(segment) }
        if !query.isEmpty {
            url += "?" + query.map { "\(Self.encoded($0.0))=\(Self.encoded($0.1))" }.joined(separator: "&")
        }
        var headers: [(name: String, value: String)] = []
        if let type { headers.append(("Content-Type", type)) }
        if let token = address.token { headers.append(("Authorization", "Bearer \(token)")) }
        let answer = try transfer.send(method, to: url, headers: headers, body: body, seconds: seconds)
        guard (200..<300).contains(answer.status) else { throw refusal(answer) }
        return answer
    }

    private func refusal(_ answer: AdminAnswer) -> ClientError {
        if answer.status == 401 {
            return ClientError(
                "the host at \(address.origin) wants its admin token: set MARTLET_ADMIN_TOKEN, or host.admin_token in the config",
                status: 401)
        }
        let isProblem = answer.headers["content-type"]?.hasPrefix("application/problem+json") == true
        let problem = isProblem ? try? answer.json() : nil
        // A list of config problems says more than the sentence about it.
        let text = problem?["text"]?.rawText ?? problem?["detail"]?.rawText ?? problem?["title"]?.rawText
        return ClientError(text ?? "the host at \(address.origin) answers with status \(answer.status)", status: answer.status)
    }

    /// Percent-encodes all but the unreserved characters of RFC 3986.
    static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "A"..."Z", "a"..."z", "0"..."9", "-", ".", "_", "~": encoded.unicodeScalars.append(scalar)
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}

extension CommandOption {
    static let admin = option(
        "admin", "URL", "The host's admin address; host.admin_listen of the config by default.")
}
