import Martlet

/// Publishes lines in batches through a host's admin API.
struct EventUpload {
    /// Lines and bytes of one request, about.
    private static let batchLines = 2000
    private static let batchBytes = 1 << 20

    /// What was published to one partition.
    struct Range {
        let partition: Int64
        var first: Int64
        var last: Int64
        var count = 1
    }

    private let client: AdminClient
    private let topic: String
    private let query: [(String, String)]
    private var batch: [UInt8] = []
    private var lines = 0
    private var firstLine = 1
    private(set) var count = 0
    /// What was published so far, by partition.
    private(set) var ranges: [Range] = []

    /// - Parameter query: `format` and `key`.
    init(_ client: AdminClient, topic: String, query: [(String, String)]) {
        self.client = client
        self.topic = topic
        self.query = query
    }

    /// Whether enough lines wait to be worth a request.
    var isFull: Bool { lines >= Self.batchLines || batch.count >= Self.batchBytes }

    /// - Parameter number: the line's number in the input, for messages.
    mutating func add(_ line: some Sequence<UInt8>, number: Int) {
        if lines == 0 { firstLine = number }
        // Lines passed over in between keep the numbers right.
        while firstLine + lines < number {
            batch.append(UInt8(ascii: "\n"))
            lines += 1
        }
        batch.append(contentsOf: line)
        batch.append(UInt8(ascii: "\n"))
        lines += 1
    }

    /// Sends what waits.
    mutating func flush() throws(ClientError) {
        guard lines > 0 else { return }
        let answer = try client.post(
            ["v1", "topics", topic, "records"], query: query + [("first_line", String(firstLine))], body: batch,
            type: "application/x-ndjson")
        for record in try answer.json()["records"]?.items ?? [] {
            guard let partition = record["partition"]?.wholeNumber, let offset = record["offset"]?.wholeNumber else { continue }
            note(partition, offset)
        }
        batch.removeAll(keepingCapacity: true)
        lines = 0
    }

    private mutating func note(_ partition: Int64, _ offset: Int64) {
        count += 1
        if let index = ranges.firstIndex(where: { $0.partition == partition }) {
            ranges[index].first = min(ranges[index].first, offset)
            ranges[index].last = max(ranges[index].last, offset)
            ranges[index].count += 1
        } else {
            ranges.append(Range(partition: partition, first: offset, last: offset))
        }
    }
}
