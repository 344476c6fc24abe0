package import Martlet

/// Keeps the records that meet conditions; for whatever else there is to decide there is `jq`.
///
/// Lifecycle: decode, validate (compiles the templates), apply. Nothing is opened or closed; `apply` does not suspend.
package struct FilterTransform: Transform {
    package static let name = "filter"
    package static let summary = "Keeps the records that meet conditions."

    package struct Config: ModuleConfig {
        let all: [FilterCondition]
        let any: [FilterCondition]

        package init(from fields: inout ConfigFields) {
            all = fields.optional("all", default: [], "Conditions that a record must meet, all of them.")
            any = fields.optional("any", default: [], "Conditions of which a record must meet one at least.")
            if all.isEmpty, any.isEmpty {
                fields.problem(at: "all", with: ["any"], "a filter needs conditions in `all`, `any`, or both")
            }
        }
    }

    private let all: [CompiledCondition]
    private let any: [CompiledCondition]
    private let reader: any PayloadReader

    package init?(config: Config, context: ModuleContext) {
        all = config.all.compactMap { CompiledCondition($0, context: context) }
        any = config.any.compactMap { CompiledCondition($0, context: context) }
        reader = context.payloads
        guard all.count == config.all.count, any.count == config.any.count else { return nil }
    }

    package func apply(to batch: [Record]) async throws -> [TransformResult] {
        batch.map { record in
            do throws(ModuleError) {
                return try isKept(TemplateInput(record)) ? .keep(record) : .drop
            } catch {
                return .fail(error)
            }
        }
    }

    private func isKept(_ input: TemplateInput) throws(ModuleError) -> Bool {
        for condition in all where try !condition.holds(for: input, reader) { return false }
        for condition in any where try condition.holds(for: input, reader) { return true }
        return any.isEmpty
    }
}
