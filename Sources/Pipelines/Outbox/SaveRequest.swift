package import Martlet

/// One input on its way into the database: the statement to run, and how to make the event once it has run.
package struct SaveRequest: Sendable {
    /// The event and its topic, from the input and the columns of `RETURNING`.
    package typealias MakeEvent = @Sendable (_ saved: [String: DataValue]) throws(ModuleError) -> (TopicName, Event)

    package let statement: SQLStatement
    package let parameters: [DataValue]
    package let makeEvent: MakeEvent
    /// Set if the client may repeat the request and wants the first answer again.
    let idempotency: IdempotentRequest?
    /// Where the answer goes; called once.
    package let answer: @Sendable (IntakeOutcome) -> Void

    init(
        statement: SQLStatement, parameters: [DataValue], makeEvent: @escaping MakeEvent,
        idempotency: IdempotentRequest? = nil, answer: @escaping @Sendable (IntakeOutcome) -> Void
    ) {
        self.statement = statement
        self.parameters = parameters
        self.makeEvent = makeEvent
        self.idempotency = idempotency
        self.answer = answer
    }
}
