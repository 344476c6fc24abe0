/// Path segments and query parameters, decoded when asked for. The parser has checked the escapes before.
extension HTTPRequest {
    /// The path's segments, percent-decoded after splitting at `/`; `/a/b%2Fc` gives `a` and `b/c`.
    package var pathSegments: [String] {
        var segments: [String] = []
        while let segment = pathSegment(segments.count) { segments.append(segment) }
        return segments
    }

    /// The path's segment of an index from 0, percent-decoded; nil past the last.
    package func pathSegment(_ index: Int) -> String? {
        var splitter = PathSplitter(bytes(pathRange))
        var position = 0
        while let segment = splitter.next() {
            if position == index { return PercentEncoding.decode(segment, plusIsSpace: false) }
            position += 1
        }
        return nil
    }

    /// The value of a query parameter, percent-decoded, `+` read as a space; nil when absent. A parameter without `=` is empty.
    package func queryParameter(_ name: String) -> String? {
        guard let queryRange else { return nil }
        for pair in QueryPairs(bytes(queryRange)) where pair.isNamed(name) {
            return PercentEncoding.decode(pair.value, plusIsSpace: true)
        }
        return nil
    }

    /// All query parameters in the order received, decoded.
    package var queryParameters: [(name: String, value: String)] {
        guard let queryRange else { return [] }
        return QueryPairs(bytes(queryRange)).map { pair in
            (PercentEncoding.decode(pair.name, plusIsSpace: true), PercentEncoding.decode(pair.value, plusIsSpace: true))
        }
    }
}
