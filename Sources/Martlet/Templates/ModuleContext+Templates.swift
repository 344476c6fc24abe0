extension ModuleContext {
    /// Compiles a template; reports the problem at its `${…}` and returns nil if it is none.
    ///
    /// - Parameter allowed: the groups of variables that have a value at this place.
    public func template(
        _ text: ConfigText, allowing allowed: Set<TemplateVariableKind>, encoding: TemplateEncoding = .plain
    ) -> Template? {
        do throws(TemplateProblem) {
            return try Template.compile(text, allowing: allowed, encoding: encoding)
        } catch {
            report(error, in: text)
            return nil
        }
    }

    /// Compiles the values of a map, such as `columns` or `parameters`, in its order; reports all problems and returns
    /// nil if there was any.
    public func templates(
        _ map: ConfigMap<ConfigText>, allowing allowed: Set<TemplateVariableKind>, encoding: TemplateEncoding = .plain
    ) -> TemplateSet? {
        let templates = map.map { template($0.value, allowing: allowed, encoding: encoding) }
        let good = templates.compactMap { $0 }
        return good.count == templates.count ? TemplateSet(good) : nil
    }

    /// Compiles JSON whose strings are templates; reports all problems and returns nil if there was any.
    public func payloadTemplate(
        _ object: ConfigObject, allowing allowed: Set<TemplateVariableKind>
    ) -> PayloadTemplate? {
        payloadTemplate(object.node, path: object.path, allowing: allowed)
    }

    /// Compiles JSON of any kind whose strings are templates.
    ///
    /// - Parameter path: where the node stands in the config.
    public func payloadTemplate(
        _ node: JSONNode, path: ConfigPath, allowing allowed: Set<TemplateVariableKind>
    ) -> PayloadTemplate? {
        PayloadTemplate.compile(node, path: path, allowing: allowed) { text, problem in report(problem, in: text) }
    }

    private func report(_ problem: TemplateProblem, in text: ConfigText) {
        self.problem(
            at: text.place(atSourceOffset: problem.offset), code: ConfigProblem.Code(rawValue: problem.code), problem.message)
    }
}
