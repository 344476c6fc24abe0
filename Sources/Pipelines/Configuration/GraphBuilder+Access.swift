import Martlet

/// `auth`, and who may use which routes.
extension GraphBuilder {
    mutating func addAuthenticators() {
        for entry in graph.config.auth {
            let text = JSONWriter.text(entry.value.node)
            if let node = kept(previous?.authenticators, name: entry.key, text: text) {
                graph.authenticators.append(node)
                continue
            }
            let context = context(.auth, entry.key, resolver())
            guard let authenticator = make(entry.value, from: services.registry.authenticators, context: context) else { continue }
            let runner = AuthRunner(name: entry.key, authenticator: authenticator, logger: services.logger)
            graph.authenticators.append(
                PipelineGraph.Node(name: entry.key, part: runner, text: text, uses: [:], isKept: false))
        }
    }

    /// What a part's object says of its callers, before the part is made.
    func access(_ node: JSONNode?) -> RequestAccess {
        guard let node, node["auth"] != nil else { return .anonymous }
        var hasRequirements = false
        if case .object(let object)? = node["require"]?.kind { hasRequirements = !object.members.isEmpty }
        return RequestAccess(isAuthenticated: true, hasRequirements: hasRequirements)
    }

    /// Puts a guard before the routes of each part. Guards are made anew at each reload, also for parts that are kept.
    mutating func addGuards() {
        let cors = graph.config.host.cors.map { CORSPolicy($0) }
        graph.cors = cors
        for node in graph.sources {
            let config = graph.config.sources[node.name].flatMap { platformConfig(SourceConfig.self, node: $0.node, path: $0.path) }
            addGuard("sources", .source, node.name, config?.access, cors)
        }
        for node in graph.channels {
            let config = graph.config.channels[node.name].flatMap { platformConfig(ChannelConfig.self, node: $0.node, path: $0.path) }
            addGuard("channels", .channel, node.name, config?.access, cors, ticketSeconds: config?.ticketSeconds)
        }
        for node in graph.queries { addGuard("queries", .query, node.name, graph.config.queries[node.name]?.access, cors) }
        checkCORS()
    }

    private mutating func addGuard(
        _ block: String, _ kind: PipelineGraph.PartID.Kind, _ name: String, _ config: AccessConfig?, _ cors: CORSPolicy?,
        ticketSeconds: Int? = nil
    ) {
        let owner = "\(block).\(name)"
        var plan: AccessPlan?
        if let config, let auth = config.auth {
            let verifiers = auth.texts.compactMap { verifier($0) }
            let requirements = requirements(config.require, context: context(kind, name, resolver(), access: access(root[block]?[name])))
            guard verifiers.count == auth.texts.count, let requirements else { return }
            plan = AccessPlan(
                verifiers: verifiers, requirements: requirements, tickets: services.tickets,
                ticketLifetime: .seconds(ticketSeconds ?? ChannelConfig.ticketSecondsDefault))
        }
        graph.guards[owner] = RouteGuard(
            access: plan, cors: cors, metrics: plan == nil ? nil : AccessMetrics(services.metrics, part: owner))
    }

    private func verifier(_ reference: ConfigText) -> AuthRunner? {
        if let node = graph.authenticators.first(where: { $0.name == reference.plain }) { return node.part }
        let names = names(in: "auth")
        if !names.contains(reference.plain) { problems.reportUnknown("verifier", reference, among: names, title: "auth") }
        return nil
    }

    private func requirements(_ config: ConfigMap<ConfigText>, context: ModuleContext) -> AccessRequirements? {
        guard let templates = context.templates(config, allowing: ExchangeVariables.kinds) else { return nil }
        for (entry, template) in zip(config, templates.templates) where !template.pointers.isEmpty {
            problems.report(
                .invalid, at: entry.value.place,
                "`require` sees the request and not its body, which may hold many events",
                hint: "take the value from the token instead: \"${@claim.\(entry.key)}\" in the templates of the part")
            return nil
        }
        return AccessRequirements(claims: config.keys, texts: templates, payloads: services.payloads)
    }

    /// The parts with routes that anyone may use; of one that could not be made, what its object says.
    var openParts: [String] {
        let routed = Set(graph.routes.map(\.owner))
        return ["sources", "channels", "queries"].flatMap { block in
            names(in: block).filter { name in
                if let made = graph.guards["\(block).\(name)"] { return made.access == nil && routed.contains("\(block).\(name)") }
                let node = root[block]?[name]
                return node?["auth"] == nil && node?["path"] != nil
            }.map { "\(block).\($0)" }
        }
    }

    /// `*` opens what anyone may read; a part with `auth` needs its pages listed.
    private func checkCORS() {
        guard let cors = graph.config.host.cors, cors.origins == ["*"],
            let closed = graph.guards.filter({ $0.value.access != nil }).keys.min()
        else { return }
        problems.report(
            .invalid, at: cors.place, "\"*\" opens only what has no `auth`, and `\(closed)` has it",
            hint: "list the origins whose pages may use it, beside \"*\" if others are open")
    }
}
