import Martlet

/// Reads a topic's records page by page through a host's admin API.
struct RecordDownload {
    /// Records of one request.
    private static let pageLimit = 1000
    /// How long a request waits at the end of the topic.
    private static let waitMilliseconds = 20_000

    let client: AdminClient
    /// The resource to read, such as `["v1", "topics", "likes", "records"]`.
    let path: [String]
    let from: OffsetText
    /// Only this partition; nil for all.
    var partition: Int?
    /// Records to read, at most; nil for all.
    var limit: Int?
    /// Where to stop, by partition; nil to go on for ever.
    var ends: [Int64: Int64]?

    /// Hands each record's line to `take`, which returns false to stop.
    func run(_ take: (ArraySlice<UInt8>) throws -> Bool) async throws {
        var query = [("offset", from.text)]
        if let partition { query.append(("partition", String(partition))) }
        var rest = limit ?? .max
        while rest > 0 {
            let size = min(rest, Self.pageLimit)
            let wait = ends == nil ? Self.waitMilliseconds : 0
            guard let page = try await page(query + [("limit", String(size)), ("wait_ms", String(wait))]) else { continue }
            var count = 0
            for line in page.body.split(separator: UInt8(ascii: "\n")) {
                count += 1
                guard try take(line) else { return }
            }
            rest -= count
            guard let cursor = page.headers[RecordReadResource.cursorHeader.lowercased()] else {
                throw ClientError("the host's answer has no \(RecordReadResource.cursorHeader); is it of another version?")
            }
            query = [("cursor", cursor)]
            if let ends, count == 0 || isDone(cursor, ends) { return }
        }
    }

    /// Nil if the host asks to try again later.
    private func page(_ query: [(String, String)]) async throws -> AdminAnswer? {
        do throws(ClientError) {
            return try client.get(path, query: query, seconds: 60)
        } catch {
            guard error.status == 503, ends == nil else { throw error }
            try await Task.sleep(for: .seconds(1))
            return nil
        }
    }

    private func isDone(_ cursor: String, _ ends: [Int64: Int64]) -> Bool {
        RecordCursor(cursor)?.positions.allSatisfy { $0.next >= ends[Int64($0.partition)] ?? 0 } ?? true
    }

    /// Where the partitions of a topic end now.
    static func ends(of topic: String, _ client: AdminClient) throws(ClientError) -> [Int64: Int64] {
        var ends: [Int64: Int64] = [:]
        for partition in try client.get(["v1", "topics", topic]).json()["partitions"]?.items ?? [] {
            guard let number = partition["partition"]?.wholeNumber, let end = partition["end"]?.wholeNumber else { continue }
            ends[number] = end
        }
        return ends
    }
}
