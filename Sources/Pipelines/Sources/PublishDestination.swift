import Martlet

/// Where a source's events go.
enum PublishDestination: Sendable {
    /// The log keeps them, and groups read them.
    case topic(TopicName)
    /// Who subscribes to the bus now gets them, and nothing keeps them.
    case bus(BusPublisher)

    /// What the events' records are named after: a bus has channels instead of topics.
    var topicName: TopicName {
        switch self {
        case .topic(let name): name
        case .bus(let publisher): publisher.topicName
        }
    }
}
