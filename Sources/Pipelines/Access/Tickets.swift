import CCrypto
import Martlet
import Synchronization

/// Short-lived tickets, with which a browser opens a stream without a header: each is for one path and one use.
///
/// A ticket holds the caller and is signed, so that giving one out keeps nothing in memory, and a host that has the same
/// `host.ticket_secret` takes it as well. Used ones are remembered until they expire, by each host for itself: with
/// several hosts behind one name a ticket that was stolen within its seconds could be used once on each.
///
/// Format: base64url of JSON, a dot, base64url of its HMAC-SHA-256. The members of the JSON:
/// `n` nonce, `e` end and `x` the credentials' end in milliseconds, `p` path, `v` verifier, `i` caller, `c` claims.
package final class Tickets: Sendable {
    /// Used tickets that are remembered; past it none is taken until some have expired.
    static let usedLimit = 100_000
    /// The longest ticket: it has to fit into a URL.
    static let textLimit = 4_096

    private struct State {
        var used: [String: Int64] = [:]
        var nextSweep: Int64 = 0
    }

    private let secret: [UInt8]
    private let state = Mutex(State())

    /// - Parameter secret: shared by the hosts; nil for one that only this process knows.
    package init(secret: String?) {
        self.secret = secret.map { Array($0.utf8) } ?? Self.random(32)
    }

    /// Nil if the caller's claims are too many for a URL.
    func issue(to caller: Caller, path: String, lifetime: Duration, now: Int64 = Timestamp.now()) -> (text: String, endsAt: Int64)? {
        let end = min(now + Int64(lifetime / .milliseconds(1)), caller.expiresAt ?? .max)
        let content = JSONNode.object([
            ("n", .string(Base64URL.encode(Self.random(12)))), ("e", .integer(end)),
            ("x", caller.expiresAt.map { .integer($0) } ?? .null), ("p", .string(path)), ("v", .string(caller.verifier)),
            ("i", .string(caller.id)), ("c", JSONNode(.object(caller.claims))),
        ])
        let body = Base64URL.encode(JSONWriter.bytes(content))
        let text = body + "." + Base64URL.encode(code(of: body))
        return text.utf8.count <= Self.textLimit ? (text, end) : nil
    }

    /// The caller that a ticket was given to. It cannot be used again.
    ///
    /// - Parameters:
    ///   - path: of the request.
    ///   - verifiers: those that the route trusts now.
    func redeem(_ text: String, path: String, verifiers: [String], now: Int64 = Timestamp.now()) throws(AccessRefusal) -> Caller {
        guard text.utf8.count <= Self.textLimit, let content = opened(text) else { throw Self.refused("the ticket is none of this host's") }
        guard let end = content["e"]?.wholeNumber, let nonce = content["n"]?.text, let verifier = content["v"]?.text,
            let id = content["i"]?.text, case .object(let claims)? = content["c"]?.kind
        else { throw Self.refused("the ticket is none of this host's") }
        guard now < end else { throw Self.refused("the ticket has expired") }
        guard content["p"]?.text == path, verifiers.contains(verifier) else { throw Self.refused("the ticket is for another path") }
        try use(nonce, until: end, now: now)
        var caller = Caller(id: id, claims: claims, expiresAt: content["x"]?.wholeNumber)
        caller.verifier = verifier
        return caller
    }

    private func opened(_ text: String) -> JSONNode? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let given = Base64URL.decode(parts[1]), given.count == 32,
            ccrypto_equal(given, code(of: String(parts[0])), 32) == 1, let body = Base64URL.decode(parts[0])
        else { return nil }
        let problems = ConfigProblems(file: "")
        let node = JSONReader.read(body, problems: problems)
        return problems.isEmpty ? node : nil
    }

    private func use(_ nonce: String, until end: Int64, now: Int64) throws(AccessRefusal) {
        enum Outcome { case fresh, used, full }
        let outcome = state.withLock { state -> Outcome in
            if now >= state.nextSweep || state.used.count >= Self.usedLimit {
                state.used = state.used.filter { $0.value > now }
                state.nextSweep = now + 10_000
            }
            if state.used[nonce] != nil { return .used }
            guard state.used.count < Self.usedLimit else { return .full }
            state.used[nonce] = end
            return .fresh
        }
        switch outcome {
        case .fresh: return
        case .used: throw Self.refused("the ticket was used before")
        case .full: throw .unavailable(.transient("auth.too_many_tickets", "\(Self.usedLimit) tickets were used within their lifetime"))
        }
    }

    private func code(of text: String) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        let bytes = Array(text.utf8)
        precondition(ccrypto_hmac_sha256(secret, secret.count, bytes, bytes.count, &code) == 1, "libcrypto has no HMAC-SHA-256")
        return code
    }

    private static func random(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        precondition(ccrypto_random(&bytes, count) == 1, "the system gives no random bytes")
        return bytes
    }

    private static func refused(_ reason: String) -> AccessRefusal { .refused("Bearer", code: "auth.bad_ticket", reason) }
}

extension JSONNode {
    fileprivate var text: String? {
        if case .string(let text) = kind { text } else { nil }
    }

    fileprivate var wholeNumber: Int64? {
        if case .number(let number) = kind { number.int64 } else { nil }
    }
}
