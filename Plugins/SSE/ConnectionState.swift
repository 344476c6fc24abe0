import Martlet

/// How far one connection has got, and what it does with a live message. A state machine without I/O.
///
/// Invariants:
/// - *live*: the client has every matching message before the shard's positions, and none from them on.
/// - *ahead*: the client came from a host that was further, so it has messages that are still to come here. It has
///   every matching message before its own positions, which are nowhere behind the shard's.
/// - *catching up*: it is behind. The log is read in rounds: a round's target is the shard's positions when the round
///   begins; matching messages that come live from then on are held. When the target is reached everywhere the held
///   ones follow, less those that the reading already brought. Too many of them begin another, shorter round.
struct ConnectionState {
    /// Live messages held for one connection; past it they are forgotten and reread.
    static let heldLimit = 64

    private enum Phase {
        case live
        case ahead(StreamPositions)
        case catchingUp(CatchUp)
    }

    private struct CatchUp {
        var positions: StreamPositions
        var target: StreamPositions
        var held: [LiveMessage] = []
        var hasOverflowed = false
        /// By topic, the partitions that the keys' events go to now. Read last: what partitions that were added since
        /// took over came after what the others have.
        let later: [[Int]]
    }

    /// What a live message is to the connection.
    enum Receipt {
        /// Nothing now.
        case none
        /// To be written, with the shard's positions as its id.
        case write
        /// To be written, with positions of the connection's own as its id.
        case writeAs(StreamPositions)
    }

    enum Step: Equatable {
        /// Read a piece of the log for this connection.
        case read(StreamSlot, from: Offset, to: Offset)
        /// Everything is read: call ``finish(live:)``.
        case finish
        /// There is nothing to catch up with.
        case none
    }

    private var phase: Phase

    /// A connection that begins with what comes next.
    static let live = ConnectionState(phase: .live)

    private init(phase: Phase) {
        self.phase = phase
    }

    /// A connection that has everything before `positions`.
    ///
    /// - Parameters:
    ///   - live: the shard's positions now.
    ///   - later: by topic, the partitions to read last.
    init(resumingAt positions: StreamPositions, live: StreamPositions, later: [[Int]]) {
        phase = .catchingUp(CatchUp(positions: positions, target: live, later: later))
    }

    var isCatchingUp: Bool {
        if case .catchingUp = phase { true } else { false }
    }

    /// The positions that are not the shard's; nil for a live connection.
    var ownPositions: StreamPositions? {
        switch phase {
        case .live: nil
        case .ahead(let positions): positions
        case .catchingUp(let catchUp): catchUp.positions
        }
    }

    // MARK: Live messages

    /// - Parameter live: the shard's positions behind the message.
    mutating func receive(_ message: LiveMessage, live: borrowing StreamPositions) -> Receipt {
        switch phase {
        case .live:
            return .write
        case .ahead(var positions):
            guard positions[message.slot] <= message.place else { return .none }
            positions[message.slot] = message.after
            if live.covers(positions) {
                phase = .live
                return .write
            }
            phase = .ahead(positions)
            return .writeAs(positions)
        case .catchingUp(var catchUp):
            guard !catchUp.hasOverflowed else { return .none }
            if catchUp.held.count < Self.heldLimit {
                catchUp.held.append(message)
            } else {
                catchUp.held = []
                catchUp.hasOverflowed = true
            }
            phase = .catchingUp(catchUp)
            return .none
        }
    }

    /// Everybody lost what is before a place. Returns whether this connection must be told: with nil, that the shard's
    /// positions are the id.
    mutating func receiveGap(_ slot: StreamSlot, _ place: StreamPlace) -> Receipt {
        switch phase {
        case .live:
            return .write
        case .ahead(var positions):
            guard positions[slot] < place else { return .none }
            positions[slot] = place
            phase = .ahead(positions)
            return .writeAs(positions)
        case .catchingUp(var catchUp):
            // Its own reading of the log finds the gap, in another round if this one does not go so far.
            catchUp.held = []
            catchUp.hasOverflowed = true
            phase = .catchingUp(catchUp)
            return .none
        }
    }

    /// Lets a connection that was ahead go live once the shard has got as far.
    mutating func settle(live: borrowing StreamPositions) {
        if case .ahead(let positions) = phase, live.covers(positions) { phase = .live }
    }

    // MARK: Catching up

    /// What to do next while catching up.
    mutating func nextStep(live: borrowing StreamPositions) -> Step {
        guard case .catchingUp(var catchUp) = phase else { return .none }
        if let step = Self.reading(catchUp) { return step }
        guard catchUp.hasOverflowed else { return .finish }
        catchUp.target = copy live
        catchUp.held = []
        catchUp.hasOverflowed = false
        phase = .catchingUp(catchUp)
        return Self.reading(catchUp) ?? .finish
    }

    private static func reading(_ catchUp: CatchUp) -> Step? {
        guard let slot = catchUp.positions.firstSlot(behind: catchUp.target, later: catchUp.later) else { return nil }
        return .read(slot, from: catchUp.positions[slot].offset, to: catchUp.target[slot].readingEnd)
    }

    /// Retention removed what is before `kept`. Returns the id of the gap, or nil if this connection lost nothing.
    mutating func replayedGap(_ slot: StreamSlot, until kept: Offset) -> StreamPositions? {
        guard case .catchingUp(var catchUp) = phase, catchUp.positions[slot] < StreamPlace(offset: kept) else { return nil }
        catchUp.positions[slot] = StreamPlace(offset: kept)
        phase = .catchingUp(catchUp)
        return catchUp.positions
    }

    /// A message that was read is about to be written. Returns its id, or nil if the client has it.
    mutating func replayed(_ message: Message, _ slot: StreamSlot) -> StreamPositions? {
        guard case .catchingUp(var catchUp) = phase, catchUp.positions[slot] <= StreamPlace(of: message) else { return nil }
        catchUp.positions[slot] = StreamPlace(after: message)
        phase = .catchingUp(catchUp)
        return catchUp.positions
    }

    /// Everything before `next` has been written or is nothing to this connection.
    mutating func replayed(_ slot: StreamSlot, through next: Offset) {
        guard case .catchingUp(var catchUp) = phase else { return }
        catchUp.positions[slot] = max(catchUp.positions[slot], StreamPlace(offset: next))
        phase = .catchingUp(catchUp)
    }

    /// Ends the catching up. Returns the held messages that the client lacks, each with its id.
    mutating func finish(live: borrowing StreamPositions) -> [(LiveMessage, StreamPositions)] {
        guard case .catchingUp(let catchUp) = phase else { return [] }
        var positions = catchUp.positions
        var messages: [(LiveMessage, StreamPositions)] = []
        for message in catchUp.held where positions[message.slot] <= message.place {
            positions[message.slot] = message.after
            messages.append((message, positions))
        }
        phase = live.covers(positions) ? .live : .ahead(positions)
        return messages
    }
}
