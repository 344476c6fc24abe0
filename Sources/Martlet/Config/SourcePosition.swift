/// Where a value was written: a line and column of the config file, or a command-line option.
///
/// Lines and columns start at 1; a column counts Unicode scalars. Line 0 means that the value was
/// built in code and stands in no file.
public struct SourcePosition: Hashable, Sendable {
    /// The line, from 1; 0 for values that were built in code.
    public var line: Int
    /// The column in Unicode scalars, from 1.
    public var column: Int
    /// The option the value came from, as typed (`--set host.listen=:80`), or nil for the file.
    public var option: String?

    /// A position in the file or in an option's value.
    public init(line: Int, column: Int, option: String? = nil) {
        self.line = line
        self.column = column
        self.option = option
    }

    /// The position of values that were built in code.
    public static let none = SourcePosition(line: 0, column: 0)
}

extension SourcePosition: Comparable {
    /// The file's positions in reading order, then those of options.
    public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        switch (left.option, right.option) {
        case (nil, .some): true
        case (.some, nil): false
        case (let first?, let second?) where first != second: first < second
        default: (left.line, left.column) < (right.line, right.column)
        }
    }
}
