import Martlet

/// Endpoints that wait for a slot, those with the same claim in the order in which they came; each once for a claim, so that
/// there are at most so many times as many entries as endpoints.
struct SlotQueue {
    private struct Line {
        var names = FIFOQueue<String>()
        var members: Set<String> = []
    }

    private var lines = SlotClaim.allCases.map { _ in Line() }

    mutating func add(_ name: String, _ claim: SlotClaim) {
        guard lines[claim.rawValue].members.insert(name).inserted else { return }
        lines[claim.rawValue].names.append(name)
    }

    /// Those that there is room for now; they do not wait any more. What an endpoint wants may have changed since.
    mutating func next(_ slots: RequestSlots) -> [String] {
        var names: [String] = []
        for claim in SlotClaim.allCases {
            for _ in 0..<min(max(0, slots.room(for: claim)), lines[claim.rawValue].names.count) {
                let name = lines[claim.rawValue].names.removeFirst()
                lines[claim.rawValue].members.remove(name)
                names.append(name)
            }
        }
        return names
    }
}
