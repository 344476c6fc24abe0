import CSimdjson
package import Martlet

/// Reads payloads through simdjson. Scratch memory belongs to the calling thread, so a value of this type holds nothing.
package struct SimdjsonPayloadReader: PayloadReader {
    /// A reader; all are alike.
    package init() {}

    package func find(
        _ lookup: PayloadLookup, in payload: Bytes, into tokens: UnsafeMutableBufferPointer<PayloadToken>
    ) throws(PayloadError) {
        let count = lookup.count
        let problem = withUnsafeTemporaryAllocation(of: csimdjson_token.self, capacity: count) { found in
            found.initialize(repeating: csimdjson_token())
            let problem = payload.withUnsafeBytes { bytes in
                lookup.nodes.withUnsafeBytes { nodes in
                    lookup.keys.withUnsafeBufferPointer { keys in
                        var shape = csimdjson_lookup(
                            nodes: nodes.assumingMemoryBound(to: csimdjson_node.self).baseAddress,
                            node_count: lookup.nodes.count / PayloadLookup.nodeWords, keys: keys.baseAddress)
                        return csimdjson_find(bytes.baseAddress, bytes.count, &shape, found.baseAddress)
                    }
                }
            }
            for index in 0..<count {
                tokens.initializeElement(at: index, to: PayloadToken(found[index]))
            }
            return problem
        }
        if let problem { throw PayloadError(String(cString: problem)) }
    }

    package func check(_ payload: Bytes) throws(PayloadError) {
        let problem = payload.withUnsafeBytes { csimdjson_check($0.baseAddress, $0.count) }
        if let problem { throw PayloadError(String(cString: problem)) }
    }

    package func elements(of array: Bytes) throws(PayloadError) -> [Bytes] {
        var ranges: UnsafePointer<csimdjson_range>?
        var count = 0
        let problem = array.withUnsafeBytes { csimdjson_elements($0.baseAddress, $0.count, &ranges, &count) }
        if let problem { throw PayloadError(String(cString: problem)) }
        return UnsafeBufferPointer(start: ranges, count: count).map { range in
            array.slice(Int(range.offset)..<Int(range.offset) + Int(range.count))
        }
    }
}

extension PayloadToken {
    init(_ token: csimdjson_token) {
        self.init(
            kind: Kind(rawValue: token.kind.rawValue) ?? .missing, offset: Int(token.offset), count: Int(token.count),
            bits: token.bits)
    }
}
