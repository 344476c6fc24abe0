import Martlet
@testable import SSEPlugin
import Testing

@Suite struct LiveFeedTests {
    private var feed = LiveFeed([ReplayTopic(topic: "t", incarnation: "1", offsets: [10])])
    private let slot = StreamSlot(topic: 0, partition: 0)

    private func message(
        _ offset: Offset, index: Int32 = 0, previous: Offset?, isLast: Bool = true, topic: TopicName = "t",
        partition: PartitionID = 0
    ) -> Message {
        let event = Event(id: "e", key: "k", payload: "{}", timestamp: 0)
        let record = Record(topic: topic, partition: partition, offset: offset, index: index, event: event)
        return Message(record: record, previousOffset: previous, isLast: isLast)
    }

    private func places(_ items: [LiveItem]) -> [String] {
        items.map { item in
            switch item {
            case .message(let message): "message \(message.place.offset).\(message.place.index)"
            case .foreign: "foreign"
            case .advance(_, let place): "advance \(place.offset)"
            case .gap(_, let place): "gap \(place.offset)"
            case .loss: "loss"
            }
        }
    }

    @Test mutating func whatFollowsIsDelivered() {
        #expect(feed.take(message(10, previous: 9)) == .deliver(slot))
        // 11 and 12 were filtered.
        #expect(feed.take(message(13, previous: 10)) == .deliver(slot))
        #expect(feed.positions[slot] == StreamPlace(offset: 14))
        #expect(feed.nextRead == nil)
    }

    @Test mutating func whatWasThereIsADuplicate() {
        #expect(feed.take(message(9, previous: 8)) == .duplicate)
        #expect(feed.take(message(10, previous: 9)) == .deliver(slot))
        #expect(feed.take(message(10, previous: 9)) == .duplicate)
        #expect(feed.take(message(10, index: 1, previous: 9)) == .duplicate)
    }

    @Test mutating func partsOfARecordFollowEachOther() {
        #expect(feed.take(message(10, previous: 9, isLast: false)) == .deliver(slot))
        #expect(feed.take(message(10, previous: 9, isLast: false)) == .duplicate)
        #expect(feed.take(message(10, index: 1, previous: 9)) == .deliver(slot))
        #expect(feed.take(message(11, previous: 10)) == .deliver(slot))
    }

    /// A foreign publisher may say anything: it must not make every cursor large.
    @Test mutating func aPartitionThatNoCursorCouldNameIsForeign() {
        #expect(feed.take(message(0, previous: -1, partition: 2_000_000)) == .foreign)
        #expect(feed.positions.topics[0].count == 1)
    }

    @Test mutating func aLostPartIsNoticed() {
        #expect(feed.take(message(10, previous: 9, isLast: false)) == .deliver(slot))
        #expect(feed.take(message(10, index: 2, previous: 9)) == .deferred(startsRepair: true))
        let read = feed.nextRead
        #expect(read?.from == StreamPlace(offset: 10, index: 1))
        #expect(read?.to == 11)
    }

    @Test mutating func theLostLastPartIsNoticedByTheNextRecord() {
        #expect(feed.take(message(10, previous: 9, isLast: false)) == .deliver(slot))
        #expect(feed.take(message(11, previous: 10)) == .deferred(startsRepair: true))
    }

    @Test mutating func aLossIsRereadUpToTheLastMessageSeen() throws {
        #expect(feed.take(message(12, previous: 11)) == .deferred(startsRepair: true))
        #expect(feed.take(message(13, previous: 12)) == .deferred(startsRepair: false))
        let first = try #require(feed.nextRead)
        #expect(first.from == StreamPlace(offset: 10))
        #expect(first.to == 14)
        let pageOne = ReplayPage(messages: [message(10, previous: nil), message(11, previous: nil)], next: 12, gapUntil: nil)
        #expect(places(feed.repaired(first, pageOne) { $0.record.event.key }) == ["message 10.0", "message 11.0"])
        let second = try #require(feed.nextRead)
        #expect(second.from == StreamPlace(offset: 12))
        // 12 and 13 come, the rest of the page is filtered.
        let pageTwo = ReplayPage(messages: [message(12, previous: nil), message(13, previous: nil)], next: 16, gapUntil: nil)
        #expect(places(feed.repaired(second, pageTwo) { $0.record.event.key }) == ["message 12.0", "message 13.0", "advance 16"])
        #expect(feed.nextRead == nil)
        #expect(feed.take(message(16, previous: 13)) == .deliver(slot))
    }

    @Test mutating func whatRetentionTookIsAGap() throws {
        #expect(feed.take(message(30, previous: 29)) == .deferred(startsRepair: true))
        let read = try #require(feed.nextRead)
        let page = ReplayPage(messages: [message(30, previous: nil)], next: 31, gapUntil: 25)
        #expect(places(feed.repaired(read, page) { $0.record.event.key }) == ["gap 25", "message 30.0"])
        #expect(feed.nextRead == nil)
    }

    @Test mutating func theEndsTellWhatIsMissing() throws {
        #expect(feed.missed(upTo: [ReplayTopic(topic: "t", incarnation: "1", offsets: [10])]) == 0)
        #expect(feed.missed(upTo: [ReplayTopic(topic: "t", incarnation: "1", offsets: [12, 3])]) == 2)
        #expect(feed.nextRead?.to == 12)
        let read = try #require(feed.nextRead)
        _ = feed.repaired(read, ReplayPage(messages: [], next: 12, gapUntil: nil)) { _ in nil }
        #expect(feed.nextRead?.slot == StreamSlot(topic: 0, partition: 1))
        #expect(feed.nextRead?.from == .start)
    }

    @Test mutating func anAddedPartitionBeginsAtItsStart() {
        let added = StreamSlot(topic: 0, partition: 2)
        #expect(feed.take(message(0, previous: -1, partition: 2)) == .deliver(added))
        #expect(feed.take(message(2, previous: 1, partition: 2)) == .deferred(startsRepair: true))
    }

    @Test mutating func foreignMessagesHaveNoPlace() {
        #expect(feed.take(message(0, previous: nil)) == .foreign)
        #expect(feed.take(message(0, previous: -1, topic: "other")) == .foreign)
    }

    @Test mutating func busyPartitionsTakeTurns() throws {
        _ = feed.missed(upTo: [ReplayTopic(topic: "t", incarnation: "1", offsets: [1_000, 500])])
        let first = try #require(feed.nextRead)
        _ = feed.repaired(first, ReplayPage(messages: [], next: 20, gapUntil: nil)) { _ in nil }
        #expect(feed.nextRead?.slot.partition == 1)
    }
}
