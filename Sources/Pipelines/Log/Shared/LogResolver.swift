import Martlet

/// The log stands below everything else in a config, so that it can refer to nothing there.
struct LogResolver: ModuleResolver {
    let problems: ConfigProblems

    func database(_ reference: ConfigText) -> (any Database)? {
        refuse("database", reference)
        return nil
    }

    func pubSub(_ reference: ConfigText) -> (any PubSub)? {
        refuse("bus", reference)
        return nil
    }

    func topic(_ reference: ConfigText) -> (any TopicPublisher)? {
        refuse("topic", reference)
        return nil
    }

    func problem(at place: ConfigPlace, code: ConfigProblem.Code, _ message: String) {
        problems.report(code, at: place, message)
    }

    private func refuse(_ what: String, _ reference: ConfigText) {
        problems.report(.invalid, at: reference.place, "a log cannot use a \(what): it is opened before all others")
    }
}
