/// The `name=value` pairs of a query, still encoded. Empty pieces (`a=1&&b=2`) are skipped.
struct QueryPairs: Sequence, IteratorProtocol {
    struct Pair {
        let name: UnsafeBufferPointer<UInt8>
        let value: UnsafeBufferPointer<UInt8>

        func isNamed(_ wanted: String) -> Bool {
            if PercentEncoding.isPlain(name, plusIsSpace: true) { return name.elementsEqual(wanted.utf8) }
            return PercentEncoding.decodedBytes(name, plusIsSpace: true).elementsEqual(wanted.utf8)
        }
    }

    private var rest: UnsafeBufferPointer<UInt8>

    init(_ query: UnsafeBufferPointer<UInt8>) {
        rest = query
    }

    mutating func next() -> Pair? {
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "&")) ?? rest.count
            let piece = UnsafeBufferPointer(rebasing: rest[0..<end])
            rest = UnsafeBufferPointer(rebasing: rest[Swift.min(end + 1, rest.count)...])
            guard !piece.isEmpty else { continue }
            let split = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.count
            return Pair(
                name: UnsafeBufferPointer(rebasing: piece[0..<split]),
                value: UnsafeBufferPointer(rebasing: piece[Swift.min(split + 1, piece.count)...])
            )
        }
        return nil
    }

    /// Refuses more than `countMax` parameters, and any that comes twice: which of the two counts would be a guess.
    static func check(_ query: UnsafeBufferPointer<UInt8>, countMax: Int) throws(RequestError) {
        var names: [[UInt8]] = []
        for pair in QueryPairs(query) {
            guard names.count < countMax else { throw .badRequest("the query has more than \(countMax) parameters") }
            let name = PercentEncoding.decodedBytes(pair.name, plusIsSpace: true)
            guard !names.contains(name) else {
                let text = String(decoding: name, as: UTF8.self)
                throw .badRequest("the query parameter \"\(text)\" comes more than once; expected once")
            }
            names.append(name)
        }
    }
}
