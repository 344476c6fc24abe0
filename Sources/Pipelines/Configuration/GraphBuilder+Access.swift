import Martlet

/// `auth`, and who may use which routes.
extension GraphBuilder {
    mutating func addAuthenticators() {
        for entry in graph.config.auth {
            let text = JSONWriter.text(entry.value.node)
            if keeps(entry.key, text, in: \.authenticators) { continue }
            let context = context(.auth, entry.key, resolver())
            guard let authenticator = make(entry.value, from: services.registry.authenticators, context: context) else { continue }
            let runner = AuthRunner(name: entry.key, authenticator: authenticator, logger: services.logger)
            add(runner, entry.key, text, to: \.authenticators)
        }
    }

    /// What a part's object says of its callers, before the part is made.
    func access(_ node: JSONNode?) -> RequestAccess {
        guard let node, node["auth"] != nil else { return .anonymous }
        var hasRequirements = false
        if case .object(let object)? = node["require"]?.kind { hasRequirements = !object.members.isEmpty }
        return RequestAccess(isAuthenticated: true, hasRequirements: hasRequirements)
    }

    /// The blocks whose parts may take requests.
    private static let guardedBlocks: [(block: String, kind: PipelineGraph.PartID.Kind)] = [
        ("sources", .source), ("channels", .channel), ("queries", .query),
    ]

    /// Puts a guard before the routes of each part. Guards are made anew at each reload, also for parts that are kept;
    /// parts that could not be made are checked all the same, so that all problems are reported at once.
    mutating func addGuards() {
        let cors = graph.config.host.cors.map { CORSPolicy($0) }
        graph.cors = cors
        for (block, kind) in Self.guardedBlocks {
            for name in names(in: block) {
                guard let node = root[block]?[name], let guardian = routeGuard(block, kind, name, node, cors) else { continue }
                if isMade(kind, name) { graph.guards["\(block).\(name)"] = guardian }
            }
        }
        checkCORS()
    }

    private func isMade(_ kind: PipelineGraph.PartID.Kind, _ name: String) -> Bool {
        switch kind {
        case .source: graph.sources.contains { $0.name == name }
        case .channel: graph.channels.contains { $0.name == name }
        default: graph.queries.contains { $0.name == name }
        }
    }

    /// Nil if problems were reported.
    private func routeGuard(
        _ block: String, _ kind: PipelineGraph.PartID.Kind, _ name: String, _ node: JSONNode, _ cors: CORSPolicy?
    ) -> RouteGuard? {
        let path = ConfigPath([.key(block), .key(name)])
        // What is wrong with these fields themselves was reported with the part's others.
        let reported = ConfigProblems(file: problems.file)
        guard node["auth"] != nil else { return RouteGuard(access: nil, cors: cors, metrics: nil) }
        guard let config = AccessConfig.decodePartially(node, path: path, problems: reported), let auth = config.auth else { return nil }
        checkTakesRequests(kind, node, path)
        let verifiers = auth.texts.compactMap { verifier($0) }
        let requirements = requirements(config.require, context: context(kind, name, resolver(), access: access(node)))
        guard verifiers.count == auth.texts.count, let requirements else { return nil }
        let tickets = kind == .channel ? ChannelConfig.decode(node, path: path, problems: reported, keys: .open)?.ticketSeconds : nil
        let plan = AccessPlan(
            verifiers: verifiers, requirements: requirements, tickets: services.tickets,
            ticketLifetime: .seconds(tickets ?? ChannelConfig.ticketSecondsDefault))
        return RouteGuard(access: plan, cors: cors, metrics: AccessMetrics(services.metrics, part: "\(block).\(name)"))
    }

    /// `auth` on a part that no request reaches would guard nothing.
    private func checkTakesRequests(_ kind: PipelineGraph.PartID.Kind, _ node: JSONNode, _ path: ConfigPath) {
        guard case .string(let type)? = node["type"]?.kind else { return }
        let takesRequests =
            kind == .source
            ? services.registry.sources.first { $0.name == type }?.takesRequests
            : services.registry.channels.first { $0.name == type }?.takesRequests
        guard takesRequests == false else { return }
        problems.report(
            .invalid, at: ConfigPlace(path: path.appending("auth"), position: node["auth"]?.position ?? node.position),
            "says who may send requests, and a \(kind.rawValue) of type `\(type)` takes none",
            hint: "remove `auth`\(node["require"] == nil ? "" : " and `require`")")
    }

    private func verifier(_ reference: ConfigText) -> AuthRunner? {
        if let node = graph.authenticators.first(where: { $0.name == reference.plain }) { return node.part }
        let names = names(in: "auth")
        if !names.contains(reference.plain) { problems.reportUnknown("verifier", reference, among: names, title: "auth") }
        return nil
    }

    private func requirements(_ config: ConfigMap<ConfigText>, context: ModuleContext) -> AccessRequirements? {
        let templates = config.map { context.template($0.value, allowing: ExchangeVariables.kinds) }
        for (entry, template) in zip(config, templates) where template?.pointers.isEmpty == false {
            problems.report(
                .invalid, at: entry.value.place,
                "`require` sees the request and not its body, which may hold many events",
                hint: "take the value from the token instead: \"${@claim.\(entry.key)}\" in the templates of the part")
        }
        let good = templates.compactMap { $0 }.filter(\.pointers.isEmpty)
        guard good.count == templates.count else { return nil }
        return AccessRequirements(claims: config.keys, texts: TemplateSet(good), payloads: services.payloads)
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
