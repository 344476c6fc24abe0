/// The name of a topic, as in Kafka: `[a-zA-Z0-9._-]`, at most 249 characters.
public struct TopicName: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    public let text: String
    public init(_ text: String) { self.text = text }
    public init(stringLiteral value: String) { self.init(value) }
    public var description: String { text }

    /// Whether the name follows Kafka's rule for topic names.
    public var isValid: Bool {
        !text.isEmpty && text.utf8.count <= 249 && text != "." && text != ".."
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// The topic that a group's dead letters from this topic go to.
    public var deadLetters: TopicName { TopicName(text + ".dead-letters") }
}

/// The name of a consumer group.
public struct GroupName: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    public let text: String
    public init(_ text: String) { self.text = text }
    public init(stringLiteral value: String) { self.init(value) }
    public var description: String { text }
}

/// The number of a partition within its topic, from 0.
public typealias PartitionID = Int32

/// A record's place in its partition, from 0, without holes for producers' records.
public typealias Offset = Int64
