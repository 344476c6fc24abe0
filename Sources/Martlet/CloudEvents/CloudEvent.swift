/// An event in the form of CloudEvents 1.0 (CNCF), for exchange with other systems.
///
/// A CloudEvent and an ``Event`` hold the same: its `id` is the event's id, its data the payload, `partitionkey` the key. Its
/// other attributes are the event's headers, named as in the Kafka protocol binding: `ce_source`, `ce_type`, `ce_time`,
/// `ce_subject`, `ce_dataschema`, `ce_specversion`, extensions `ce_NAME`, and `content-type`. So what was taken as a CloudEvent
/// leaves as the same one, and what lies in the log is a CloudEvent to Kafka clients too.
public struct CloudEvent: Sendable, Hashable {
    /// Together with ``source`` unique.
    public var id: String
    /// Where it happened, a URI reference: `/shop/orders`.
    public var source: String
    /// What happened: `com.example.order.placed`.
    public var type: String
    /// Every other attribute but `specversion` and `datacontenttype`, by its name: `time`, `subject`, extensions.
    public var attributes: [Attribute]
    /// The media type of the data; nil means JSON.
    public var contentType: String?
    /// The data as it is sent; nil if there is none.
    public var data: Bytes?

    /// An optional attribute.
    public struct Attribute: Sendable, Hashable {
        /// Lower-case letters and digits.
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The version of the specification.
    public static let specVersion = "1.0"

    public init(
        id: String, source: String, type: String, attributes: [Attribute] = [], contentType: String? = nil, data: Bytes? = nil
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.attributes = attributes
        self.contentType = contentType
        self.data = data
    }

    /// The value of an optional attribute.
    public subscript(name: String) -> String? {
        attributes.first { $0.name == name }?.value
    }

    /// Whether the data is JSON by its media type.
    public var isJSON: Bool {
        guard let contentType else { return true }
        let type = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return type == "application/json" || type == "text/json" || type.hasSuffix("+json")
    }

    /// Whether a name may be an attribute's: lower-case letters and digits (section 3.1 of the specification).
    static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
    }
}

/// Why something is no CloudEvent.
public struct CloudEventProblem: Error, Sendable {
    /// What is wrong, what was expected.
    public let message: String
    /// The JSON Pointer of what is wrong, or the header's name.
    public let place: String

    public init(_ message: String, at place: String) {
        self.message = message
        self.place = place
    }
}
