import Martlet

/// Makes the log of a config whose block `log` names a module.
struct LogModule {
    let registry: ModuleRegistry
    let context: ModuleContext

    /// The log, decoded and validated without a side effect; nil if problems were reported. Topics that ask for what logs of
    /// this type do not do are reported too.
    func make(_ module: ConfigModule<LogKind>, topics: ConfigMap<TopicConfig>, problems: ConfigProblems) -> (any SharedLog)? {
        guard let factory = registry.logs.first(where: { $0.name == module.type }) else {
            let types = ModuleKind.log.platformTypes + registry.logs.map(\.name)
            module.reportUnknownType(among: types, problems: problems)
            return nil
        }
        if !factory.supportsDeduplication {
            for entry in topics where entry.value.deduplicate != nil {
                problems.report(
                    .invalid, at: entry.value.deduplicatePlace,
                    "a log of type `\(factory.name)` knows no window of event ids, and keeps every event",
                    hint: "remove it; a table keyed by the event's id takes an event once")
            }
        }
        let countBefore = problems.count
        let log = factory.make(module.node, module.path, problems, context)
        if log == nil, problems.count == countBefore {
            problems.report(
                .invalid, at: module.place,
                "the log type `\(factory.name)` refuses its block and gives no reason: this is a defect of the module")
        }
        return log
    }
}
