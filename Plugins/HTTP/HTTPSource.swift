public import Martlet

/// Takes events over HTTP: one JSON object, an array, or NDJSON.
///
/// 1. decode: ``HTTPSourceConfig``.
/// 2. validate: the schema and the templates of `respond` must compile.
/// 3. open: requests are let through.
/// 4. work: a request is checked on its event loop and handed to the intake; the answer waits for the outcome.
/// 5. close: new requests get 503; those under way are answered first.
public final class HTTPSource: EventSource, RouteProviding {
    public typealias Config = HTTPSourceConfig

    public static let name = "http"
    public static let summary = "Takes events over HTTP: single, as a JSON array, or as NDJSON."

    private static let emptyObject: Bytes = "{}"

    let config: HTTPSourceConfig
    let checker: EventChecker
    private let respond: RespondPlan?
    private let gate = RequestGate()
    private let refused: Counter
    public let templateVariables: Set<TemplateVariableKind>

    public init?(config: Config, context: ModuleContext) {
        var schema: (any SchemaValidator)?
        var isValid = true
        if let object = config.bodySchema {
            do throws(PayloadError) {
                schema = try context.schemas.compile(object.jsonText)
            } catch {
                context.problem(at: object.place, code: "http.bad_schema", "is no JSON Schema: \(error.message)")
                isValid = false
            }
        }
        let respond = config.respond.map { RespondPlan($0, context: context) }
        if case .some(.none) = respond { isValid = false }
        guard isValid else { return nil }
        self.config = config
        self.respond = respond ?? nil
        templateVariables = context.access.variables
        checker = EventChecker(payloads: context.payloads, schema: schema)
        refused = context.metrics.counter(
            "martlet_http_source_refused_total", "Requests refused before they reached the source's pipeline.",
            labels: [("source", context.name)])
    }

    public var routes: [Route] {
        [Route(config.method.rawValue, config.path.plain) { [self] exchange in handle(exchange) }]
    }

    public func open(intake: any Intake) async throws {
        gate.open(intake)
    }

    public func close() async {
        await gate.close()
    }

    private func handle(_ exchange: any HTTPExchange) {
        guard let intake = gate.enter() else { return exchange.respond(Refusal.closed.response) }
        do throws(Refusal) {
            switch config.content {
            case .opaque: takeOpaque(exchange, intake)
            case .json: try takeJSON(exchange, intake)
            case .cloudevents: try takeCloudEvents(exchange, intake)
            }
        } catch {
            refused.add()
            gate.leave()
            exchange.respond(error.response)
        }
    }

    private func takeOpaque(_ exchange: any HTTPExchange, _ intake: any Intake) {
        let type = exchange.header("content-type").map { [Header("content-type", Bytes($0))] } ?? []
        takeOne(exchange.body, headers: type, exchange, intake)
    }

    private func takeJSON(_ exchange: any HTTPExchange, _ intake: any Intake) throws(Refusal) {
        let body = exchange.body
        if body.isEmpty, config.method == .get || config.method == .delete {
            try checker.checkSchema(Self.emptyObject)
            return takeOne(Self.emptyObject, headers: [], exchange, intake)
        }
        let contentType = exchange.header("content-type")
        switch MediaType(contentType) {
        case .other:
            throw .unsupported(contentType)
        case .lines:
            takeBatch(try Batch(lines: body, limit: config.maxBatchEvents, checker: checker), exchange, intake)
        case .json where Self.isArray(body):
            takeBatch(try Batch(array: body, limit: config.maxBatchEvents, checker: checker), exchange, intake)
        case .json:
            try checker.check(body)
            takeOne(body, headers: [], exchange, intake)
        }
    }

    private func takeOne(_ payload: Bytes, headers: [Header], _ exchange: any HTTPExchange, _ intake: any Intake) {
        take(SourceInput(payload: payload, headers: headers, variables: ExchangeVariables(exchange)), exchange, intake)
    }

    func take(_ made: SourceInput, _ exchange: any HTTPExchange, _ intake: any Intake) {
        var input = made
        input.idempotencyKey = exchange.header("idempotency-key")
        input.callerScope = exchange.caller?.scope
        let taken = input
        intake.accept([taken]) { [gate, respond] outcomes in
            for outcome in outcomes.prefix(1) {
                exchange.respond(SingleAnswer.response(outcome, to: taken, respond: respond))
            }
            gate.leave()
        }
    }

    private func takeBatch(_ batch: Batch, _ exchange: any HTTPExchange, _ intake: any Intake) {
        let variables = ExchangeVariables(exchange)
        take(batch, batch.payloads.map { SourceInput(payload: $0, variables: variables) }, exchange, intake)
    }

    /// The events of a batch are taken one by one: some may be refused while others are saved. A repeated batch with
    /// the same idempotency key is safe, since each event has a key of its own derived from it.
    func take(_ batch: Batch, _ made: [SourceInput], _ exchange: any HTTPExchange, _ intake: any Intake) {
        let key = exchange.header("idempotency-key")
        let scope = exchange.caller?.scope
        var inputs = made
        for index in inputs.indices {
            inputs[index].idempotencyKey = key.map { "\($0)/\(batch.numbers[index])" }
            inputs[index].callerScope = scope
        }
        intake.accept(inputs) { [gate] outcomes in
            exchange.respond(BatchSummary(batch, outcomes).response)
            gate.leave()
        }
    }

    private static func isArray(_ body: Bytes) -> Bool {
        body.withUnsafeBytes { bytes in
            let first = bytes.first { byte in
                byte != UInt8(ascii: " ") && byte != UInt8(ascii: "\n") && byte != UInt8(ascii: "\r")
                    && byte != UInt8(ascii: "\t")
            }
            return first == UInt8(ascii: "[")
        }
    }
}
