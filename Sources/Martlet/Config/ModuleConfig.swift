public protocol ModuleConfig: Sendable {}
public struct ConfigText: Sendable { public var text: String }
