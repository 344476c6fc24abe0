/// A resolver that reports only what is wrong with single values.
struct SingleValueResolver: ModuleResolver {
    let base: any ModuleResolver

    func database(_ reference: ConfigText) -> (any Database)? { base.database(reference) }

    func pubSub(_ reference: ConfigText) -> (any PubSub)? { base.pubSub(reference) }

    func topic(_ reference: ConfigText) -> (any TopicPublisher)? { base.topic(reference) }

    func problem(at place: ConfigPlace, code: ConfigProblem.Code, _ message: String) {
        if !ConfigProblem.Code.betweenFields.contains(code) { base.problem(at: place, code: code, message) }
    }
}
