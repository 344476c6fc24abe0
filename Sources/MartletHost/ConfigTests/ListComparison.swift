import Martlet

/// Matches what was expected with what was found, item by item.
struct ListComparison {
    private let expected: [JSONNode]
    private let found: [JSONNode]
    private let isExact: Bool
    private let isOrdered: Bool

    /// - Parameter isOrdered: whether all items have one order, not only those of one key.
    init(expected: [JSONNode], found: [JSONNode], isExact: Bool, isOrdered: Bool) {
        self.expected = expected
        self.found = found
        self.isExact = isExact
        self.isOrdered = isOrdered
    }

    /// What is wrong, a line each; nothing if every expected item has one found item of its own and none is left over, and
    /// the items of one key come in the expected order.
    ///
    /// - Parameter what: what the items are, such as `topic notifications: event`.
    func failures(_ what: String) -> [String] {
        var rest = Array(found.indices)
        var matches: [Int] = []
        var missing: [Int] = []
        for (number, item) in expected.enumerated() {
            let pattern = JSONPattern(expected: item, isExact: isExact)
            if let index = rest.firstIndex(where: { pattern.differences(from: found[$0]).isEmpty }) {
                matches.append(rest.remove(at: index))
            } else {
                missing.append(number)
            }
        }
        var lines: [String] = []
        for number in missing { lines += describe(number, what, &rest) }
        for index in rest { lines.append("\(what) was not expected: \(JSONWriter.text(found[index]))") }
        if lines.isEmpty, let late = outOfOrder(matches) {
            lines.append("\(what) came in another order than expected: \(JSONWriter.text(found[late]))")
        }
        return lines
    }

    /// The nearest found item tells best what is wrong.
    private func describe(_ number: Int, _ what: String, _ rest: inout [Int]) -> [String] {
        let pattern = JSONPattern(expected: expected[number], isExact: isExact)
        let candidates = rest.map { (index: $0, differences: pattern.differences(from: found[$0])) }
        guard let nearest = candidates.min(by: { $0.differences.count < $1.differences.count }) else {
            return ["\(what) \(number + 1) of \(expected.count) is missing: \(JSONWriter.text(expected[number]))"]
        }
        rest.removeAll { $0 == nearest.index }
        return ["\(what) \(number + 1) of \(expected.count) differs:"] + nearest.differences.map { "  \($0.text)" }
    }

    /// An item that came before one of its key that was expected before it. Items of different keys may come in any order.
    private func outOfOrder(_ matches: [Int]) -> Int? {
        var last: [String: Int] = [:]
        for index in matches {
            guard let key = isOrdered ? "" : found[index]["key"].map({ JSONWriter.text($0) }) else { continue }
            if let before = last[key], before > index { return index }
            last[key] = index
        }
        return nil
    }
}
