import Martlet

/// The blocks of a config that a running host does not read again: `host` and `log`.
struct StartBlocks: Sendable {
    private static let names = ["host", "log"]

    private let texts: [String]

    init(_ root: JSONNode) {
        texts = Self.texts(of: root)
    }

    /// The blocks that are not what they were at the start.
    func changed(in root: JSONNode) -> [String] {
        zip(Self.names, zip(texts, Self.texts(of: root))).filter { $0.1.0 != $0.1.1 }.map(\.0)
    }

    private static func texts(of root: JSONNode) -> [String] {
        names.map { root[$0].map { JSONWriter.text($0) } ?? "" }
    }
}
