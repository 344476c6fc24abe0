/// The records' own faults that templates find.
extension ModuleError {
    static func missing(_ expression: TemplateExpression) -> ModuleError {
        switch expression {
        case .pointer(let pointer):
            .permanent(
                "template.missing_field",
                "the payload has no `\(pointer)`; a default can be given: `${\(expression):-…}`")
        case .variable(let variable):
            .permanent(
                "template.missing_variable",
                "`\(variable)` has no value here; a default can be given: `${\(expression):-…}`")
        }
    }

    static func unreadable(_ error: PayloadError) -> ModuleError {
        .permanent("template.bad_payload", "the payload cannot be read: \(error.message)")
    }
}
