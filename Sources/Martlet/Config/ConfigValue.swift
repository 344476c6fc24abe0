/// A type that a config field can hold.
///
/// Conforming types: `String`, `Bool`, `Int`, `Int64`, `Double`, arrays, ``ConfigMap``, ``ConfigText``, ``ConfigObject``,
/// ``JSONNode``, ``ConfigModule``, every ``ModuleConfig``, and each `enum X: String, CaseIterable, ConfigValue`.
public protocol ConfigValue: Sendable {
    /// Decodes a value, or reports what is wrong with it and returns nil. Where a part of the value is good, it may return
    /// that after its report, so that more can be checked: a value with a report never reaches a running module.
    static func decode(_ input: ConfigInput) -> Self?

    /// Any value, to go on with after a problem; it never reaches a running module.
    static var placeholder: Self { get }

    /// What a field of this type holds.
    static func shape(_ context: ShapeContext) -> ConfigShape

    /// The value as it would be written in a config, to show as default or example; nil if it has no such form.
    var configNode: JSONNode? { get }
}

extension ConfigValue {
    /// No form of its own.
    public var configNode: JSONNode? { nil }
}

/// Carried through the description of nested types, so that a type that contains itself is described once.
public struct ShapeContext: Sendable {
    private var path: [ObjectIdentifier] = []

    /// The context at the top.
    public init() {}

    /// The context inside a type, or nil if that type is being described already.
    func inside(_ type: any ConfigValue.Type) -> ShapeContext? {
        let identifier = ObjectIdentifier(type)
        guard !path.contains(identifier) else { return nil }
        var copy = self
        copy.path.append(identifier)
        return copy
    }
}
