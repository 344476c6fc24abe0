/// All registered modules of one kind, and the keys that the platform reads from their objects.
package struct ModuleKindDescription: Sendable {
    /// The kind as in ``ConfigModuleKind/kindName``: `sink`.
    package let kindName: String
    /// The platform's fields in such an object beside `type`.
    package let sharedFields: [FieldDescription]
    /// The modules in the order of the documentation.
    package let modules: [ModuleDescription]

    /// Describes a kind of module.
    package init(kindName: String, sharedFields: [FieldDescription] = [], modules: [ModuleDescription]) {
        self.kindName = kindName
        self.sharedFields = sharedFields
        self.modules = modules
    }
}
