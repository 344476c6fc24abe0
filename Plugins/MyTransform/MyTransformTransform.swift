public import Martlet

/// Keeps the records of which a value is one of a list, and drops the others.
///
/// 1. decode: ``Config``.
/// 2. validate: the template must compile.
/// 3. apply: no waiting. A record without the value is its own permanent error.
public struct MyTransformTransform: Transform {
    public struct Config: ModuleConfig {
        let value: ConfigText
        let allowed: [String]

        public init(from fields: inout ConfigFields) {
            value = fields.required("value", "What to look at, a template.", example: "${/type}")
            allowed = fields.required("in", "The values whose records are kept.", example: ["like", "follow"])
        }
    }

    public static let name = "my_transform"
    public static let summary = "Keeps the records of which a value is one of a list."

    private let value: TemplateSet
    private let allowed: Set<String>
    private let payloads: any PayloadReader

    public init?(config: Config, context: ModuleContext) {
        guard let value = context.template(config.value, allowing: [.record, .header]) else { return nil }
        self.value = TemplateSet([value])
        allowed = Set(config.allowed)
        payloads = context.payloads
    }

    public func apply(to batch: [Record]) async throws -> [TransformResult] {
        batch.map { record in
            do throws(ModuleError) {
                let values = try value.evaluate(TemplateInput(record), with: payloads)
                return values.allSatisfy { allowed.contains($0.rendered) } ? .keep(record) : .drop
            } catch {
                return .fail(error)
            }
        }
    }
}
