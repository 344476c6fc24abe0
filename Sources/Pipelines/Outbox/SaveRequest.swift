package import Martlet

/// One input on its way into the database: the statement to run, and how to make the event once it has run.
package struct SaveRequest: Sendable {
    /// The event and its topic, from the input and the columns of `RETURNING`.
    package typealias MakeEvent = @Sendable (_ saved: [String: DataValue]) throws(ModuleError) -> (TopicName, Event)

    /// Bytes beside the input: the request's own objects, and its connection's.
    private static let overhead = 512

    package let statement: SQLStatement
    package let parameters: [DataValue]
    package let makeEvent: MakeEvent
    /// Set if the client may repeat the request and wants the first answer again.
    let idempotency: IdempotentRequest?
    /// How often its transaction gave way to another one.
    var conflicts = 0
    /// What it takes up while it waits, about.
    let byteCount: Int
    /// Where the answer goes; called once.
    package let answer: @Sendable (IntakeOutcome) -> Void

    /// - Parameter inputBytes: of what the parameters and the event are made from.
    init(
        statement: SQLStatement, parameters: [DataValue], makeEvent: @escaping MakeEvent, inputBytes: Int,
        idempotency: IdempotentRequest? = nil, answer: @escaping @Sendable (IntakeOutcome) -> Void
    ) {
        self.statement = statement
        self.parameters = parameters
        self.makeEvent = makeEvent
        self.idempotency = idempotency
        byteCount = inputBytes + Self.overhead
        self.answer = answer
    }
}
