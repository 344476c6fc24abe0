import Martlet
@testable import SSEPlugin
import Testing

@Suite struct StreamCursorTests {
    private func topic(_ offsets: [Offset], _ name: TopicName = "t", incarnation: String = "1") -> ReplayTopic {
        ReplayTopic(topic: name, incarnation: incarnation, offsets: offsets)
    }

    private func text(_ positions: StreamPositions, _ layout: StreamLayout) -> String {
        var text: [UInt8] = []
        StreamCursor.append(positions, layout, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private func places(_ offsets: [Offset]) -> [StreamPlace] {
        offsets.map { StreamPlace(offset: $0) }
    }

    @Test func aCursorComesBackAsItWas() throws {
        let topics = [topic([0, 1, 63, 64, 1 << 40, 1 << 61]), topic([5], "u")]
        let layout = StreamLayout(topics)
        var positions = StreamPositions(topics)
        positions[StreamSlot(topic: 1, partition: 0)] = StreamPlace(offset: 5, index: 300)
        let cursor = try #require(StreamCursor(text(positions, layout)))
        #expect(cursor.topics.map(\.tag) == layout.tags)
        #expect(cursor.topics.map(\.places) == positions.topics)
    }

    @Test func aCursorOfFourPartitionsIsShort() {
        let topics = [topic([12_345, 1_000_000, 7, 99_999_999])]
        #expect(text(StreamPositions(topics), StreamLayout(topics)).utf8.count <= 32)
    }

    @Test func theTextIsFrozen() {
        let topics = [topic([0, 3, 200], "notifications", incarnation: "a1")]
        #expect(text(StreamPositions(topics), StreamLayout(topics)) == "Af8rViEDAAaQAw")
    }

    @Test(arguments: ["A", "AQ=", "AR", "Ag", "AQAA", "AQAAAAD_", "AQAAAAACAA", "hello world", "01a20d6b-ef32-7043-8aa4-9805ee6d871a"])
    func otherTextIsNoCursor(text: String) {
        #expect(StreamCursor(text) == nil)
    }

    @Test func everyCutOfACursorIsRefusedOrShorter() throws {
        let topics = [topic([1_000, 2_000]), topic([3_000], "u")]
        let whole = text(StreamPositions(topics), StreamLayout(topics))
        for count in 0..<whole.utf8.count {
            let cursor = StreamCursor(String(whole.prefix(count)))
            #expect((cursor?.topics.count ?? 0) < 2)
        }
        #expect(StreamCursor(String(repeating: "A", count: StreamCursor.textLimit + 1)) == nil)
    }

    // MARK: Where a cursor leads

    private func resolve(
        _ cursor: StreamCursor, _ topics: [ReplayTopic], live: [[Offset]]? = nil
    ) -> (positions: [[StreamPlace]], hasGap: Bool) {
        let ends = StreamPositions(topics)
        let live = live.map { StreamPositions(topics: $0.map(places)) } ?? ends
        let (positions, hasGap) = StreamStart.resolve(cursor, layout: StreamLayout(topics), live: live, ends: ends)
        return (positions.topics, hasGap)
    }

    private func cursor(_ topics: [ReplayTopic]) -> StreamCursor {
        StreamCursor(topics: zip(StreamLayout(topics).tags, topics).map { ($0, places($1.offsets)) })
    }

    @Test func aKnownCursorIsFollowed() {
        let (positions, hasGap) = resolve(cursor([topic([3, 4])]), [topic([10, 10])])
        #expect(positions == [places([3, 4])])
        #expect(!hasGap)
    }

    @Test func partitionsAndTopicsAddedSinceBeginAtTheStart() {
        let (positions, hasGap) = resolve(cursor([topic([3])]), [topic([10, 5]), topic([7], "u")])
        #expect(positions == [places([3, 0]), places([0])])
        #expect(!hasGap)
    }

    @Test func theCursorMayBeAheadOfThisHost() {
        let (positions, hasGap) = resolve(cursor([topic([8, 2])]), [topic([10, 5])], live: [[6]])
        #expect(positions == [places([8, 2])])
        #expect(!hasGap)
    }

    @Test func anotherIncarnationGoesOnLiveWithAGap() {
        let (positions, hasGap) = resolve(cursor([topic([8], incarnation: "old")]), [topic([3])])
        #expect(positions == [places([3])])
        #expect(hasGap)
    }

    @Test func aPlacePastTheEndGoesOnLiveWithAGap() {
        let (positions, hasGap) = resolve(cursor([topic([8, 2])]), [topic([7, 5])])
        #expect(positions == [places([7, 2])])
        #expect(hasGap)
    }

    @Test func partitionsThatNobodyKnowsAreNone() {
        let zeros = [Offset](repeating: 0, count: 1_000)
        let (positions, hasGap) = resolve(cursor([topic([3] + zeros)]), [topic([10])])
        #expect(positions == [places([3])])
        #expect(!hasGap)
        #expect(resolve(cursor([topic([3, 0, 4])]), [topic([10])]).hasGap)
    }

    @Test func theOrderOfTopicsDoesNotMatter() {
        let (positions, hasGap) = resolve(cursor([topic([1], "u"), topic([2])]), [topic([9]), topic([9], "u")])
        #expect(positions == [places([2]), places([1])])
        #expect(!hasGap)
    }

    // MARK: What a client asks for

    private func name(_ header: String?, _ query: String?) -> String {
        switch StreamStart(header: header, query: query) {
        case .latest: "latest"
        case .earliest: "earliest"
        case .cursor(let cursor): "cursor \(cursor.topics.count)"
        case .unknown: "unknown"
        }
    }

    @Test func theHeaderGoesBeforeTheQuery() {
        #expect(name(nil, nil) == "latest")
        #expect(name("", "earliest") == "earliest")
        #expect(name(nil, "latest") == "latest")
        #expect(name("AQ", "earliest") == "cursor 0")
        #expect(name("something", "earliest") == "unknown")
    }
}
