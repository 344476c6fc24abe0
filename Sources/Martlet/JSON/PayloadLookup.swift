/// JSON Pointers prepared for looking up: their steps form a tree, so that one reading of a payload finds them all.
public struct PayloadLookup: Sendable {
    /// The distinct pointers, in the order in which they were first given.
    public let pointers: [JSONPointer]

    /// The tree, ``nodeWords`` words a node, node 0 being the whole document: offset and length of its key in ``keys``,
    /// the array index that its key also is or ``none``, index of the first child, number of children (which follow
    /// each other), and the index of its pointer or ``none``.
    public let nodes: [UInt32]
    /// The keys' UTF-8, one after the other.
    public let keys: [UInt8]

    /// Words of ``nodes`` that describe one node.
    public static let nodeWords = 6
    /// Stands for "none" in ``nodes``.
    public static let none = UInt32.max

    /// Prepares pointers; one that is given twice is looked up once.
    public init(_ pointers: [JSONPointer]) {
        var distinct: [JSONPointer] = []
        // By bytes: strings compare by canonical equivalence, JSON keys do not.
        var seen: Set<[UInt8]> = []
        for pointer in pointers where seen.insert(Array(pointer.text.utf8)).inserted { distinct.append(pointer) }
        var tree = Tree()
        for (index, pointer) in distinct.enumerated() { tree.insert(pointer.tokens[...], target: UInt32(index)) }
        var writer = Writer()
        writer.write(tree)
        self.pointers = distinct
        nodes = writer.nodes
        keys = writer.keys
    }

    /// How many tokens a look-up yields.
    public var count: Int { pointers.count }

    /// Which token is the pointer's.
    public func index(of pointer: JSONPointer) -> Int? {
        pointers.firstIndex { $0.text.utf8.elementsEqual(pointer.text.utf8) }
    }

    private struct Tree {
        var children: [(key: String, tree: Tree)] = []
        var target = PayloadLookup.none

        mutating func insert(_ tokens: ArraySlice<String>, target: UInt32) {
            guard let key = tokens.first else {
                self.target = target
                return
            }
            if let index = children.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
                children[index].tree.insert(tokens.dropFirst(), target: target)
            } else {
                var child = Tree()
                child.insert(tokens.dropFirst(), target: target)
                children.append((key, child))
            }
        }
    }

    /// Lays the tree out level by level, so that the children of a node follow each other.
    private struct Writer {
        var nodes: [UInt32] = []
        var keys: [UInt8] = []

        mutating func write(_ root: Tree) {
            var waiting: [(key: String, tree: Tree)] = [("", root)]
            var next = 0
            while next < waiting.count {
                let (key, tree) = waiting[next]
                next += 1
                nodes.append(UInt32(keys.count))
                nodes.append(UInt32(key.utf8.count))
                nodes.append(Self.arrayIndex(key))
                nodes.append(UInt32(waiting.count))
                nodes.append(UInt32(tree.children.count))
                nodes.append(tree.target)
                keys += key.utf8
                waiting += tree.children
            }
        }

        /// RFC 6901: `0`, or digits without a leading zero.
        private static func arrayIndex(_ key: String) -> UInt32 {
            guard key == "0" || key.utf8.first != UInt8(ascii: "0"),
                key.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let index = UInt32(key)
            else { return PayloadLookup.none }
            return index
        }
    }
}
