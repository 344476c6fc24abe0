import Martlet

extension EventLog {
    /// Topics in the order in which they are to be made: first those that have more partitions than they are to have. That is
    /// refused, and then nothing must have been changed before.
    func refusedFirst(_ topics: [(name: TopicName, settings: TopicSettings)]) -> [(name: TopicName, settings: TopicSettings)] {
        func isRefused(_ topic: (name: TopicName, settings: TopicSettings)) -> Bool {
            self.topic(topic.name).map { $0.partitions > topic.settings.partitions } ?? false
        }
        return topics.filter(isRefused) + topics.filter { !isRefused($0) }
    }
}
