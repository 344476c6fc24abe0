/// A value's path together with where it was written: keep it to report a problem found later.
public struct ConfigPlace: Hashable, Sendable {
    public var path: ConfigPath
    public var position: SourcePosition

    public init(path: ConfigPath, position: SourcePosition) {
        self.path = path
        self.position = position
    }
}
