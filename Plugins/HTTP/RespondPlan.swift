import Martlet

/// The compiled block `respond`.
struct RespondPlan: Sendable {
    let status: Int?
    private let body: PayloadTemplate?
    private let payloads: any PayloadReader

    /// Nil if problems were reported.
    init?(_ config: RespondConfig, context: ModuleContext) {
        status = config.status
        payloads = context.payloads
        guard let object = config.body else {
            body = nil
            return
        }
        guard let template = context.payloadTemplate(object, allowing: [.record, .header, .path, .query, .saved]) else {
            return nil
        }
        for case .variable(let variable) in template.expressions where variable.kind == .record && variable != .id {
            context.problem(
                at: object.place, code: "template.not_available",
                "`${\(variable)}` has no value in an answer, of the event's own variables only `${@id}` has")
            return nil
        }
        body = template
    }

    /// The body, or nil if none is configured or this request lacks what it needs: by then the event is taken, and the
    /// answer must say so.
    func body(of input: SourceInput, id: Bytes, saved: [String: DataValue]) -> Bytes? {
        guard let body else { return nil }
        var values = TemplateInput(input, saved: saved)
        values.id = id
        return try? body.render(values, with: payloads)
    }
}
