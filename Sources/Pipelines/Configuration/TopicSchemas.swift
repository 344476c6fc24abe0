package import Martlet

/// The JSON Schemas of topics. Every way into a topic asks here before the log is: what is refused there would come too late
/// for its producer, or hold up an outbox.
package struct TopicSchemas: Sendable {
    /// A compiled schema, and the text that it was made of.
    struct Entry: Sendable {
        let text: String
        let validator: any SchemaValidator
    }

    var entries: [TopicName: Entry] = [:]

    /// Throws if the topic has a schema and the payload does not meet it.
    ///
    /// - Throws: permanent, `topic.schema_mismatch`, with a JSON Pointer for each of the first things that are wrong.
    package func check(_ event: Event, for topic: TopicName) throws(ModuleError) {
        guard let entry = entries[topic] else { return }
        let problems: [String]
        do throws(PayloadError) {
            problems = try entry.validator.problems(in: event.payload)
        } catch {
            throw .permanent("topic.schema_mismatch", "topic \(topic) takes JSON that meets its schema; the payload cannot be read: \(error.message)")
        }
        guard problems.isEmpty else {
            throw .permanent(
                "topic.schema_mismatch", "the payload does not meet the schema of topic \(topic): \(problems.joined(separator: "; "))")
        }
    }

    /// Whether there is anything to check for a topic.
    package func hasSchema(of topic: TopicName) -> Bool {
        entries[topic] != nil
    }
}
