import Martlet

/// Finds the databases and buses that modules refer to, notes who uses what, and reports dangling references.
final class GraphResolver: ModuleResolver {
    private let problems: ConfigProblems
    private let databases: [String: DatabaseRunner]
    private let pubSubs: [String: PubSubRunner]
    /// Names in the config whose modules may have failed to validate: referring to them is no problem of its own.
    private let databaseNames: [String]
    private let pubSubNames: [String]
    private let topics: (ConfigText) -> (any TopicPublisher)?
    private(set) var uses: [PipelineGraph.PartID: ObjectIdentifier] = [:]
    private(set) var usedDatabases: [DatabaseRunner] = []
    private(set) var usedPubSubs: [PubSubRunner] = []

    init(
        problems: ConfigProblems, databases: [String: DatabaseRunner], pubSubs: [String: PubSubRunner],
        databaseNames: [String], pubSubNames: [String], topics: @escaping (ConfigText) -> (any TopicPublisher)?
    ) {
        self.problems = problems
        self.databases = databases
        self.pubSubs = pubSubs
        self.databaseNames = databaseNames
        self.pubSubNames = pubSubNames
        self.topics = topics
    }

    func databaseRunner(_ reference: ConfigText) -> DatabaseRunner? {
        let name = reference.plain
        guard let runner = databases[name] else {
            if !databaseNames.contains(name) {
                problems.reportUnknown("database", reference, among: databaseNames, title: "databases")
            }
            return nil
        }
        uses[PipelineGraph.PartID(kind: .database, name: name)] = ObjectIdentifier(runner)
        usedDatabases.append(runner)
        return runner
    }

    func pubSubRunner(_ reference: ConfigText) -> PubSubRunner? {
        let name = reference.plain
        guard let runner = pubSubs[name] else {
            if !pubSubNames.contains(name) {
                problems.reportUnknown("pubsub", reference, among: pubSubNames, title: "buses")
            }
            return nil
        }
        uses[PipelineGraph.PartID(kind: .pubsub, name: name)] = ObjectIdentifier(runner)
        usedPubSubs.append(runner)
        return runner
    }

    /// Notes that the part is made with another one, which must then be kept for this one to be kept.
    func use(_ id: PipelineGraph.PartID, _ part: AnyObject) {
        uses[id] = ObjectIdentifier(part)
    }

    func database(_ reference: ConfigText) -> (any Database)? {
        databaseRunner(reference)?.database
    }

    func pubSub(_ reference: ConfigText) -> (any PubSub)? {
        pubSubRunner(reference)?.pubSub
    }

    func topic(_ reference: ConfigText) -> (any TopicPublisher)? {
        topics(reference)
    }

    func problem(at place: ConfigPlace, code: ConfigProblem.Code, _ message: String) {
        problems.report(code, at: place, message)
    }
}
