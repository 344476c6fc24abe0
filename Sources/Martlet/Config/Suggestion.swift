/// Finds the name that a mistyped one was probably meant to be.
package enum Suggestion {
    /// Longer names are not compared: they cannot be a slip of a key.
    private static let longestName = 64

    /// The nearest of `candidates`, or nil if none is near enough to be a slip.
    ///
    /// Near is: the same but for case, `-` and `_`; the same but for a missing or another unit
    /// (`retention` and `retention_days` for `retention_hours`); or a Damerau-Levenshtein distance of at most a third of
    /// the length, never more than 3. Ties go to the first candidate.
    package static func nearest(to name: String, among candidates: [String]) -> String? {
        guard !name.isEmpty, name.utf8.count <= longestName else { return nil }
        let plain = normalized(name)
        if let same = candidates.first(where: { normalized($0) == plain }) { return same }
        var best: (candidate: String, distance: Int)?
        for candidate in candidates where candidate.utf8.count <= longestName {
            let other = normalized(candidate)
            let threshold = min(3, max(plain.count, other.count) / 3)
            let distance = distance(plain, other)
            if distance <= threshold, distance < min(plain.count, other.count), distance < best?.distance ?? .max {
                best = (candidate, distance)
            }
        }
        if let best { return best.candidate }
        let stem = FieldUnit.stem(of: name)
        return candidates.first { FieldUnit.stem(of: $0) == stem }
    }

    /// What a message adds where a name is unknown, "; did you mean `topics`?": empty if no candidate is near enough.
    ///
    /// - Parameter written: how the nearest name stands in the question.
    package static func question(
        for name: String, among candidates: [String], written: (String) -> String = { "`\($0)`" }
    ) -> String {
        nearest(to: name, among: candidates).map { "; did you mean \(written($0))?" } ?? ""
    }

    /// Edits (insert, delete, replace, swap of neighbours) between two words: optimal string alignment.
    package static func distance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...second.count)
        for row in 0..<first.count {
            var current = [row + 1]
            current.reserveCapacity(second.count + 1)
            for column in 0..<second.count {
                let isSame = first[row] == second[column]
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (isSame ? 0 : 1))
                if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[second.count]
    }

    private static func normalized(_ name: String) -> [Unicode.Scalar] {
        name.lowercased().unicodeScalars.filter { $0 != "_" && $0 != "-" && $0 != " " }
    }
}
