import Martlet

/// The keys of the blocks `host` and `log`, by which a reload tells what it changes and what waits for the next start.
struct HostKeys: Sendable {
    /// A reload puts these in force; the others, and all of `log`, are read at the start only.
    private static let live: Set<String> = [
        "host.cors", "host.trusted_proxies", "host.forwarded_header", "host.allow_unauthenticated", "host.shutdown_grace_seconds",
    ]

    /// What stands under each key, by `block.key`.
    private let texts: [String: String]

    init(_ root: JSONNode) {
        var texts: [String: String] = [:]
        for block in ["host", "log"] {
            guard case .object(let object)? = root[block]?.kind else { continue }
            for member in object.members { texts["\(block).\(member.key)"] = JSONWriter.text(member.value) }
        }
        self.texts = texts
    }

    /// The keys that are in force now and stand here otherwise than in `other`.
    func inForce(otherThan other: HostKeys) -> [String] {
        changed(from: other).filter(Self.live.contains)
    }

    /// The keys that wait for the next start, because they stand here otherwise than at the last one.
    func waiting(since start: HostKeys) -> [String] {
        changed(from: start).filter { !Self.live.contains($0) }
    }

    private func changed(from other: HostKeys) -> [String] {
        Set(texts.keys).union(other.texts.keys).filter { texts[$0] != other.texts[$0] }.sorted()
    }
}
