import Martlet
import Synchronization

/// The dialogue of a source: events in, results out.
final class ExecIntake: ExecDialogue {
    private struct State {
        var isStopped = false
        /// Told apart by a number, so that a late outcome is not sent to the next process.
        var life = 0
        /// Events taken from the process whose results it has not been sent: those that the intake holds, and those whose
        /// results wait because the process reads none.
        var inFlight = 0
        var outgoing: [[UInt8]] = []
        var waitingResults = 0
        /// Since when so many results wait that nothing more is taken.
        var fullSince: ContinuousClock.Instant?
        var hasWarned = false
        var wake: (@Sendable () -> Void)?
    }

    /// How long a process may leave its results unread before the log says so.
    private static let unreadLimit = Duration.seconds(1)

    private let intake: any Intake
    private let limit: Int
    private let reader: any PayloadReader
    private let logger: Logger
    private let state = Mutex(State())

    init(intake: any Intake, limit: Int, services: ExecServices) {
        self.intake = intake
        self.limit = limit
        reader = services.reader
        logger = services.logger
    }

    /// - Parameter wake: tells the process's thread that there is something to write.
    func whenAnswered(_ wake: @escaping @Sendable () -> Void) {
        state.withLock { $0.wake = wake }
        wake()
    }

    var kind: String { "source" }
    var deadline: ContinuousClock.Instant? { nil }
    var isBusy: Bool { state.withLock { $0.inFlight > 0 } }

    func start(_ greeting: ExecGreeting) {}

    func wantsMessages(at now: ContinuousClock.Instant) -> Bool {
        let (isWanted, isUnread) = state.withLock { state in
            let isUnread = !state.hasWarned && state.fullSince.map { now - $0 > Self.unreadLimit } ?? false
            if isUnread { state.hasWarned = true }
            return (state.inFlight < limit && !state.isStopped, isUnread)
        }
        if isUnread {
            logger.warning(
                "the process does not read its results: \(limit) wait (`max_in_flight_events`), and nothing more is taken until it does",
                ("code", "exec.results_not_read"))
        }
        return isWanted
    }

    func takeOutgoing(at now: ContinuousClock.Instant) -> [[UInt8]] {
        state.withLock { state in
            defer { state.outgoing = [] }
            state.inFlight -= state.waitingResults
            state.waitingResults = 0
            state.fullSince = nil
            return state.outgoing
        }
    }

    func receive(_ message: ExecMessage) throws(ModuleError) {
        guard message.type == "events", let id = message.id else {
            throw ExecFailure.badOutput(
                "wrote a message of type \(JSONText.quoted(message.type)) where \"events\" with an \"id\" were expected")
        }
        guard let list = message.events, let entries = try? reader.elements(of: list) else {
            throw ExecFailure.badOutput("wrote \"events\" that are no list")
        }
        let inputs = try entries.map { (entry) throws(ModuleError) in try input(entry) }
        // A message without events has an answer, too.
        let count = max(1, inputs.count)
        let taken = state.withLock { state -> Int? in
            if state.isStopped { return nil }
            state.inFlight += count
            return state.life
        }
        guard let life = taken else { return }
        intake.accept(inputs) { [self] outcomes in
            var line = Array(#"{"type":"results","id":"#.utf8)
            id.withUnsafeBytes { line.append(contentsOf: $0) }
            line += #","results":["#.utf8
            for (index, outcome) in outcomes.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                Self.append(outcome, to: &line)
            }
            line += "]}".utf8
            let wake = state.withLock { state -> (@Sendable () -> Void)? in
                guard state.life == life else { return nil }
                state.outgoing.append(line)
                state.waitingResults += count
                if state.waitingResults >= limit { state.fullSince = state.fullSince ?? .now }
                return state.wake
            }
            wake?()
        }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
    }

    func end(_ error: ModuleError) {
        state.withLock { state in
            state.life += 1
            state.inFlight = 0
            state.outgoing = []
            state.waitingResults = 0
            state.fullSince = nil
            state.hasWarned = false
        }
    }

    private func input(_ entry: Bytes) throws(ModuleError) -> SourceInput {
        let event = try ExecResult(entry, reader).event
        guard let payload = event.payload else { throw ExecFailure.badOutput("wrote an event without \"payload\"") }
        return SourceInput(payload: payload, headers: event.headerList, id: event.id, key: event.key ?? nil)
    }

    private static func append(_ outcome: IntakeOutcome, to line: inout [UInt8]) {
        switch outcome {
        case .saved, .published, .sent: line += #""ok""#.utf8
        case .unchanged: line += #""unchanged""#.utf8
        case .filtered: line += #""filtered""#.utf8
        case .rejected(let error):
            line += #"{"reject":"#.utf8
            JSONText.appendQuoted(error.description, to: &line)
            line.append(UInt8(ascii: "}"))
        case .conflict:
            line += #"{"reject":"the idempotency key was used for another body"}"#.utf8
        case .unavailable(let error, let wait):
            line += #"{"retry":"#.utf8
            JSONText.appendQuoted(error.description, to: &line)
            line += ",\"after_ms\":\(wait.wholeMilliseconds)}".utf8
        }
    }
}
