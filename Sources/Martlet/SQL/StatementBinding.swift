/// A statement of the config together with a template for each of its parameters.
public struct StatementBinding: Sendable {
    public let statement: SQLStatement
    /// One template for each of ``SQLStatement/parameterNames``, in that order.
    public let parameters: TemplateSet

    /// Checks the statement and pairs its parameters with templates by name. Reports every problem: bad SQL, a
    /// parameter without a template, a template without a parameter, a bad template. Nil if there was any.
    ///
    /// - Parameters:
    ///   - sql: may be a placeholder, and
    ///   - database: nil if the config names none that there is: either was reported, and the templates are checked all the same.
    public static func compile(
        sql: ConfigText, parameters: ConfigMap<ConfigText>, database: (any Database)?,
        allowing kinds: Set<TemplateVariableKind>, context: ModuleContext
    ) -> StatementBinding? {
        var prepared: SQLStatement?
        do throws(SQLProblem) {
            prepared = sql.isPlaceholder ? nil : try database?.prepare(sql.plain)
        } catch {
            context.problem(at: sql.place, code: .badSQL, error.message)
        }
        guard let statement = prepared else {
            _ = context.templates(parameters, allowing: kinds)
            return nil
        }
        var isGood = true
        for entry in parameters where !statement.parameterNames.contains(entry.key) {
            let names = statement.parameterNames.map { ":\($0)" }.joined(separator: ", ")
            let guess = Suggestion.question(for: entry.key, among: statement.parameterNames)
            context.problem(
                at: ConfigPlace(path: entry.value.place.path, position: entry.keyPlace.position), code: .unknownParameter,
                "the statement has no parameter `:\(entry.key)`\(guess) (it has: \(names.isEmpty ? "none" : names))")
            isGood = false
        }
        var templates: [Template] = []
        for name in statement.parameterNames {
            guard let text = parameters[name] else {
                context.problem(
                    at: sql.place, code: .unboundParameter,
                    "the statement's parameter `:\(name)` has no template; add \"\(name)\" to `parameters`")
                isGood = false
                continue
            }
            guard let template = context.template(text, allowing: kinds) else {
                isGood = false
                continue
            }
            templates.append(template)
        }
        return isGood ? StatementBinding(statement: statement, parameters: TemplateSet(templates)) : nil
    }
}
