/// A path of a file or folder, written relative to the config file's folder.
public struct ConfigFilePath: ConfigValue, ExpressibleByStringLiteral {
    /// The path as written.
    public let written: String
    /// The path to open: absolute, or relative to the current folder.
    public let resolved: String
    /// Where the path is written.
    public let place: ConfigPlace

    /// A path built in code, relative to the current folder.
    public init(stringLiteral value: String) {
        self.init(written: value, resolved: value, place: ConfigPlace(path: .root, position: .none))
    }

    private init(written: String, resolved: String, place: ConfigPlace) {
        self.written = written
        self.resolved = resolved
        self.place = place
    }

    /// Decodes a value or reports why not; see ``ConfigValue/decode(_:)``.
    public static func decode(_ input: ConfigInput) -> ConfigFilePath? {
        guard let written = input.plainText(expected: "a path") else { return nil }
        guard !written.isEmpty, !written.utf8.contains(0) else {
            input.report("must be a path", code: .invalid, found: input.node.found)
            return nil
        }
        let resolved = resolve(written, against: input.problems.file)
        return ConfigFilePath(written: written, resolved: resolved, place: input.place)
    }

    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: ConfigFilePath { "." }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .named("path", .string) }
    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? { .string(SubstitutionScanner.escape(written)) }

    /// A path relative to the folder of another file; an absolute one stays as it is.
    static func resolve(_ path: String, against file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(file[...slash]) + path
    }
}
