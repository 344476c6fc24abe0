import Martlet
@testable import SSEPlugin
import Testing

@Suite struct ConnectionStateTests {
    private let slot = StreamSlot(topic: 0, partition: 0)
    private let other = StreamSlot(topic: 0, partition: 1)

    private func positions(_ offsets: Offset...) -> StreamPositions {
        StreamPositions(topics: [offsets.map { StreamPlace(offset: $0) }])
    }

    private func message(_ offset: Offset) -> Message {
        let event = Event(id: "e", key: "k", payload: "{}", timestamp: 0)
        return Message(record: Record(topic: "t", partition: 0, offset: offset, event: event), previousOffset: offset - 1)
    }

    private func live(_ offset: Offset) -> LiveMessage {
        LiveMessage(message(offset), key: "k", slot: slot)
    }

    private func name(_ receipt: ConnectionState.Receipt) -> String {
        switch receipt {
        case .none: "none"
        case .write: "write"
        case .writeAs(let own): "as \(own.topics[0].map(\.offset))"
        }
    }

    @Test func aLiveConnectionTakesEverything() {
        var state = ConnectionState.live
        #expect(name(state.receive(live(5), live: positions(6))) == "write")
        #expect(state.ownPositions == nil)
        #expect(state.nextStep(live: positions(6)) == .none)
    }

    @Test func aClientThatIsAheadSkipsWhatItHas() {
        var state = ConnectionState(resumingAt: positions(7, 4), live: positions(5, 3), later: [])
        #expect(state.nextStep(live: positions(5, 3)) == .finish)
        #expect(state.finish(live: positions(5, 3)).isEmpty)
        #expect(name(state.receive(live(5), live: positions(6, 3))) == "none")
        #expect(name(state.receive(live(6), live: positions(7, 3))) == "none")
        // Its id says 4 for the other partition, where this host is only at 3.
        #expect(name(state.receive(live(7), live: positions(8, 3))) == "as [8, 4]")
        #expect(name(state.receive(live(8), live: positions(9, 4))) == "write")
        #expect(state.ownPositions == nil)
    }

    @Test func aClientBehindReadsThenTakesWhatWasHeld() {
        var state = ConnectionState(resumingAt: positions(2), live: positions(5), later: [])
        #expect(state.nextStep(live: positions(5)) == .read(slot, from: 2, to: 5))
        #expect(name(state.receive(live(5), live: positions(6))) == "none")
        #expect(name(state.receive(live(6), live: positions(7))) == "none")
        #expect(state.replayed(message(1), slot) == nil)
        #expect(state.replayed(message(3), slot)?[slot] == StreamPlace(offset: 4))
        // The page reached further than was asked, so 5 is not to come twice.
        #expect(state.replayed(message(5), slot)?[slot] == StreamPlace(offset: 6))
        state.replayed(slot, through: 6)
        #expect(state.nextStep(live: positions(7)) == .finish)
        let held = state.finish(live: positions(7))
        #expect(held.map(\.0.place.offset) == [6])
        #expect(held.map { $0.1[slot].offset } == [7])
        #expect(state.ownPositions == nil)
    }

    @Test func tooMuchHeldBeginsAnotherRound() {
        var state = ConnectionState(resumingAt: positions(0), live: positions(5), later: [])
        let end = Offset(5 + ConnectionState.heldLimit + 10)
        for offset in 5..<end { _ = state.receive(live(offset), live: positions(offset + 1)) }
        state.replayed(slot, through: 5)
        #expect(state.nextStep(live: positions(end)) == .read(slot, from: 5, to: end))
        _ = state.receive(live(end), live: positions(end + 1))
        state.replayed(slot, through: end)
        #expect(state.nextStep(live: positions(end + 1)) == .finish)
        #expect(state.finish(live: positions(end + 1)).map(\.0.place.offset) == [end])
    }

    @Test func theKeysOwnPartitionIsReadLast() {
        var state = ConnectionState(resumingAt: positions(0, 0), live: positions(1, 1), later: [[0]])
        #expect(state.nextStep(live: positions(1, 1)) == .read(other, from: 0, to: 1))
        state.replayed(other, through: 1)
        #expect(state.nextStep(live: positions(1, 1)) == .read(slot, from: 0, to: 1))
    }

    @Test func aGapWhileCatchingUpIsFoundInAnotherRound() {
        var state = ConnectionState(resumingAt: positions(5), live: positions(5), later: [])
        #expect(name(state.receiveGap(slot, StreamPlace(offset: 9))) == "none")
        #expect(state.nextStep(live: positions(9)) == .read(slot, from: 5, to: 9))
        #expect(state.replayedGap(slot, until: 9)?[slot].offset == 9)
        #expect(state.replayedGap(slot, until: 9) == nil)
        #expect(state.nextStep(live: positions(9)) == .finish)
    }

    @Test func aGapReachesThoseWhoLackWhatItTook() {
        var live = ConnectionState.live
        #expect(name(live.receiveGap(slot, StreamPlace(offset: 9))) == "write")
        var ahead = ConnectionState(resumingAt: positions(7, 9), live: positions(5, 1), later: [])
        _ = ahead.finish(live: positions(5, 1))
        #expect(name(ahead.receiveGap(slot, StreamPlace(offset: 6))) == "none")
        #expect(name(ahead.receiveGap(slot, StreamPlace(offset: 8))) == "as [8, 9]")
    }

    @Test func theHeartbeatSettlesAClientThatWasAhead() {
        var state = ConnectionState(resumingAt: positions(7), live: positions(5), later: [])
        _ = state.finish(live: positions(5))
        state.settle(live: positions(6))
        #expect(state.ownPositions != nil)
        state.settle(live: positions(7))
        #expect(state.ownPositions == nil)
    }
}
