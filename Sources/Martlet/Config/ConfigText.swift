/// A string together with where it stands, for text that is compiled later: templates, SQL, jq programs.
///
/// ``source`` is for the template compiler, ``plain`` for everything else; each has its way back to the line and column.
public struct ConfigText: ConfigValue, ExpressibleByStringLiteral {
    /// The text as template source, in the grammar of ``SubstitutionScanner``: text that came from the environment
    /// or a file is escaped in it, so that it is never taken for a template.
    public let source: String
    /// Where the string begins.
    public let place: ConfigPlace
    private let origin: JSONNode.TextOrigin

    /// - Returns: nil if the node is not a string.
    public init?(node: JSONNode, path: ConfigPath) {
        guard case .string(let source) = node.kind else { return nil }
        self.source = source
        place = ConfigPlace(path: path, position: node.position)
        origin = node.origin
        isPlaceholder = false
    }

    /// Stands for text that has a problem, which is reported: nothing else is wrong with it.
    package let isPlaceholder: Bool

    /// Text built in code, for defaults and examples.
    public init(stringLiteral value: String) {
        self.init(inCode: value, isPlaceholder: false)
    }

    private init(inCode value: String, isPlaceholder: Bool) {
        source = value
        self.isPlaceholder = isPlaceholder
        place = ConfigPlace(path: .root, position: .none)
        origin = JSONNode.TextOrigin()
    }

    /// The text with its escapes resolved: `$${` is `${`.
    public var plain: String { SubstitutionScanner.plain(source) }

    /// The text came from the environment or a secret file: no report may print it.
    public var isSecret: Bool { origin.isSecret }

    /// The text in its pieces, for a template compiler.
    public var pieces: [SubstitutionScanner.Placed] { SubstitutionScanner.scan(source) }

    /// The place in the file of a place in ``source``.
    ///
    /// - Parameter offset: in UTF-8 bytes; inside substituted text it is the substitution's place.
    public func place(atSourceOffset offset: Int) -> ConfigPlace {
        var place = place
        if place.position.line > 0 {
            place.position.column = origin.column(of: offset, in: source, startingAt: place.position.column + 1)
        }
        return place
    }

    /// The place in the file of a place in ``plain``.
    ///
    /// - Parameter offset: in UTF-8 bytes.
    public func place(atPlainOffset offset: Int) -> ConfigPlace {
        place(atSourceOffset: SubstitutionScanner.sourceOffset(ofPlain: offset, in: source))
    }

    /// Decodes a value or reports why not; see ``ConfigValue/decode(_:)``.
    public static func decode(_ input: ConfigInput) -> ConfigText? { input.text() }
    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: ConfigText { ConfigText(inCode: "", isPlaceholder: true) }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .string }
    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? { .string(source) }
}

extension JSONNode.TextOrigin {
    /// The column in the file of a UTF-8 offset in a string's text.
    func column(of offset: Int, in text: String, startingAt firstColumn: Int) -> Int {
        let mark = marks.last { $0.offset <= offset } ?? Mark(offset: 0, column: firstColumn)
        if mark.isSubstituted { return mark.column }
        let between = text.utf8.dropFirst(mark.offset).prefix(offset - mark.offset)
        return mark.column + between.reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
    }
}
