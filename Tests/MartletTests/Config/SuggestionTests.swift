import Martlet
import Testing

struct SuggestionTests {
    private static let keys = ["retention_hours", "partitions", "topic", "topics", "type", "at", "batch_events"]

    @Test(arguments: [
        ("retentoin_hours", "retention_hours"), ("retention", "retention_hours"), ("retention_days", "retention_hours"),
        ("Partitions", "partitions"), ("partition", "partitions"), ("topcis", "topics"), ("batch-events", "batch_events"),
        ("typ", "type"), ("tpye", "type"), ("batchevents", "batch_events"),
    ])
    func slipIsRecognised(_ name: String, _ key: String) {
        #expect(Suggestion.nearest(to: name, among: Self.keys) == key)
    }

    @Test(arguments: ["", "xyz", "it", "retries", "compaction", "ab", String(repeating: "topics", count: 20)])
    func otherWordIsNotGuessed(_ name: String) {
        #expect(Suggestion.nearest(to: name, among: Self.keys) == nil)
    }

    @Test(arguments: [("", "", 0), ("abc", "", 3), ("abcd", "abdc", 1), ("kitten", "sitting", 3), ("ca", "abc", 3)])
    func distanceCountsEdits(_ first: String, _ second: String, _ distance: Int) {
        #expect(Suggestion.distance(Array(first.unicodeScalars), Array(second.unicodeScalars)) == distance)
        #expect(Suggestion.distance(Array(second.unicodeScalars), Array(first.unicodeScalars)) == distance)
    }
}
