/// A value's path together with where it was written: keep it to report a problem found later.
public struct ConfigPlace: Hashable, Sendable {
    /// The way to the value from the top of the config.
    public var path: ConfigPath
    /// Where the value is written.
    public var position: SourcePosition

    /// A place to report problems at.
    public init(path: ConfigPath, position: SourcePosition) {
        self.path = path
        self.position = position
    }
}
