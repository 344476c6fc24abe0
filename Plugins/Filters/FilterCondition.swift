import Martlet

/// One condition of a filter: a value of the record, and what it must be.
struct FilterCondition: ModuleConfig {
    let value: ConfigText
    let exists: Bool?
    let test: Test?
    let place: ConfigPlace

    /// What the value is compared with.
    enum Test: Sendable {
        case equals(JSONNode)
        case notEquals(JSONNode)
        case isIn([JSONNode])
        case above(JSONNode)
        case atLeast(JSONNode)
        case below(JSONNode)
        case atMost(JSONNode)

        var operands: [JSONNode] {
            switch self {
            case .equals(let node), .notEquals(let node), .above(let node), .atLeast(let node), .below(let node), .atMost(let node):
                [node]
            case .isIn(let nodes): nodes
            }
        }
    }

    init(from fields: inout ConfigFields) {
        place = fields.place
        value = fields.required("value", "What is looked at, a template.", example: "${/kind}")
        exists = fields.optional("exists", "Whether the value must be there; JSON null is there.", example: true)
        let equals: JSONNode? = fields.optional("equals", "A string, number, boolean or null that it must be.", example: "like")
        let notEquals: JSONNode? = fields.optional("not_equals", "What it must not be; a value that is not there passes.", example: "test")
        let isIn: [JSONNode]? = fields.optional("in", "What it must be one of.", example: ["like", "follow"])
        let above: JSONNode? = fields.optional("above", "A number, or a string, that it must be greater than.", example: 0)
        let atLeast: JSONNode? = fields.optional("at_least", "The least that it may be.", example: 18)
        let below: JSONNode? = fields.optional("below", "What it must be less than.", example: 100)
        let atMost: JSONNode? = fields.optional("at_most", "The most that it may be.", example: "2026-12-31")
        let tests: [Test] = [
            equals.map { .equals($0) }, notEquals.map { .notEquals($0) }, isIn.map { .isIn($0) }, above.map { .above($0) },
            atLeast.map { .atLeast($0) }, below.map { .below($0) }, atMost.map { .atMost($0) },
        ].compactMap { $0 }
        test = tests.first
        if tests.count + (exists == nil ? 0 : 1) != 1 {
            fields.problem(
                at: "value", with: ["exists", "equals", "not_equals", "in", "above", "at_least", "below", "at_most"],
                "a condition has exactly one of `exists`, `equals`, `not_equals`, `in`, `above`, `at_least`, `below` and `at_most`")
        }
        for operand in test?.operands ?? [] where !Self.isScalar(operand, in: test) {
            fields.problem(at: "value", "is compared with a string, a number, a boolean or null", found: operand.found)
        }
    }

    private static func isScalar(_ node: JSONNode, in test: Test?) -> Bool {
        switch (node.kind, test) {
        case (.array, _), (.object, _): false
        case (.null, .above), (.null, .atLeast), (.null, .below), (.null, .atMost): false
        case (.bool, .above), (.bool, .atLeast), (.bool, .below), (.bool, .atMost): false
        default: true
        }
    }
}

/// A condition with its template compiled.
struct CompiledCondition: Sendable {
    private let template: TemplateSet
    private let exists: Bool?
    private let test: FilterCondition.Test?

    /// Nil if a problem was reported.
    init?(_ condition: FilterCondition, context: ModuleContext) {
        guard let template = context.template(condition.value, allowing: [.record, .header]) else { return nil }
        self.template = TemplateSet([template])
        exists = condition.exists
        test = condition.test
    }

    /// Throws if the payload cannot be read.
    func holds(for input: TemplateInput, _ reader: any PayloadReader) throws(ModuleError) -> Bool {
        let value: DataValue?
        do throws(ModuleError) {
            value = try template.evaluate(input, with: reader)[0]
        } catch {
            guard error.code == "template.missing_field" || error.code == "template.missing_variable" else { throw error }
            value = nil
        }
        if let exists { return (value != nil) == exists }
        switch test {
        case .equals(let node): return value.map { Self.isEqual($0, node) } ?? false
        case .notEquals(let node): return !(value.map { Self.isEqual($0, node) } ?? false)
        case .isIn(let nodes): return value.map { value in nodes.contains { Self.isEqual(value, $0) } } ?? false
        case .above(let node): return Self.order(value, node) == .above
        case .atLeast(let node): return [.above, .equal].contains(Self.order(value, node))
        case .below(let node): return Self.order(value, node) == .below
        case .atMost(let node): return [.below, .equal].contains(Self.order(value, node))
        case nil: return false
        }
    }

    private enum Order {
        case below, equal, above
        /// Of different kinds, or not there.
        case none
    }

    private static func isEqual(_ value: DataValue, _ node: JSONNode) -> Bool {
        switch (value, node.kind) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        default: order(value, node) == .equal
        }
    }

    private static func order(_ value: DataValue?, _ node: JSONNode) -> Order {
        switch (value, node.kind) {
        case (.integer(let left), .number(let right)):
            if let right = right.int64 { return order(left, right) }
            return order(Double(left), right.double)
        case (.double(let left), .number(let right)): return order(left, right.double)
        case (.text(let left), .string): return order(left, node.plainText ?? "")
        case (.json(let digits), .number(let right)): return Double(digits).map { order($0, right.double) } ?? .none
        default: return .none
        }
    }

    private static func order<Value: Comparable>(_ left: Value, _ right: Value) -> Order {
        left < right ? .below : left == right ? .equal : .above
    }
}
