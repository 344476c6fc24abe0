import HTTPPlugin
import Martlet
import MartletTesting
import Pipelines
import Testing

@Suite struct HTTPSourceTests {
    private static let schema = """
        { "path": "/likes", "body_schema": { "type": "object", "required": ["actor"], "properties": { "actor": { "type": "string" } } } }
        """

    private func source(_ config: String = #"{ "path": "/likes" }"#) throws -> HTTPSource {
        try TestHost(payloads: SimdjsonPayloadReader(), schemas: ValijsonSchemaCompiler()).make(HTTPSource.self, config)
    }

    private func json(_ body: String, headers: [(String, String)] = []) -> FakeExchange {
        FakeExchange("POST", headers: [("Content-Type", "application/json")] + headers, body: Bytes(body))
    }

    private func lines(_ body: String, headers: [(String, String)] = []) -> FakeExchange {
        FakeExchange("POST", headers: [("Content-Type", "application/x-ndjson; charset=utf-8")] + headers, body: Bytes(body))
    }

    private func answer(
        _ exchange: FakeExchange, of source: HTTPSource, _ intake: RecordingIntake? = nil
    ) async throws -> HTTPResponse {
        let intake = intake ?? RecordingIntake { index, _ in .saved(id: Bytes("id-\(index)"), saved: [:]) }
        try await source.open(intake: intake)
        source.routes[0].handle(exchange)
        return await exchange.response()
    }

    private func field(_ response: HTTPResponse, _ name: String) -> String? {
        response.headers.first { $0.name == name }?.value
    }

    // MARK: Outcomes

    static let outcomes: [(IntakeOutcome, Int, String)] = [
        (.saved(id: "a", saved: [:]), 201, #"{"id":"a"}"#),
        (.published(id: "a", topic: "t", partition: 3, offset: 9), 202, #"{"id":"a","topic":"t","partition":3,"offset":9}"#),
        (.sent(id: "a"), 202, #"{"id":"a"}"#),
        (.unchanged, 200, #"{"status":"unchanged"}"#),
        (.filtered, 200, #"{"status":"filtered"}"#),
        (
            .rejected(.permanent("x.y", "no such thing")), 422,
            #"{"type":"about:blank","title":"The event was refused","status":422,"detail":"no such thing","code":"x.y"}"#
        ),
        (
            .unavailable(.transient("x.full", "the queue is full"), retryAfter: .milliseconds(1_500)), 503,
            #"{"type":"about:blank","title":"The event cannot be taken now","status":503,"detail":"the queue is full","code":"x.full"}"#
        ),
    ]

    @Test(arguments: outcomes)
    func everyOutcomeHasItsAnswer(outcome: IntakeOutcome, status: Int, body: String) async throws {
        let response = try await answer(json(#"{"actor":"ann"}"#), of: source(), RecordingIntake { _, _ in outcome })
        #expect(response.status == status)
        #expect(response.body.string == body + "\n")
        #expect(field(response, "Retry-After") == (status == 503 ? "2" : nil))
    }

    @Test func anIdempotencyKeyIsHandedOnAndAConflictIs422() async throws {
        let intake = RecordingIntake { _, _ in .conflict }
        let response = try await answer(json("{}", headers: [("idempotency-key", "k1")]), of: source(), intake)
        #expect(response.status == 422)
        #expect(response.body.string.contains("http.idempotency_conflict"))
        #expect(intake.inputs.map(\.idempotencyKey) == ["k1"])
    }

    @Test func respondShapesStatusAndBody() async throws {
        let config = """
            { "path": "/likes", "respond": { "status": 200, "body": { "id": "${@id}", "owner": "${@saved.owner}", "who": "by ${/actor}" } } }
            """
        let intake = RecordingIntake { _, _ in .saved(id: "a", saved: ["owner": .text("bob")]) }
        let response = try await answer(json(#"{"actor":"ann"}"#), of: source(config), intake)
        #expect(response.status == 200)
        #expect(response.body.string == #"{"id":"a","owner":"bob","who":"by ann"}"#)
        // What was taken is answered as taken, even where the body cannot be made.
        let plain = try await answer(json("{}"), of: source(config), intake)
        #expect(plain.status == 200)
        #expect(plain.body.string == #"{"id":"a"}"# + "\n")
    }

    @Test func requestVariablesAreLookedUp() async throws {
        let intake = RecordingIntake { _, _ in .unchanged }
        let exchange = FakeExchange(
            "POST", path: ["user": "bob"], query: ["n": "5"],
            headers: [("Content-Type", "application/json"), ("X-Trace", "t")], body: "{}")
        _ = try await answer(exchange, of: source(), intake)
        let variables = try #require(intake.inputs.first?.variables)
        #expect(variables.value(of: .path, "user") == "bob")
        #expect(variables.value(of: .query, "n") == "5")
        #expect(variables.value(of: .header, "x-trace") == "t")
        #expect(variables.value(of: .path, "other") == nil)
    }

    // MARK: Refusals

    static let refused: [(String, Int, String)] = [
        ("", 400, "http.malformed_body"),
        ("nonsense", 400, "http.malformed_body"),
        (#"{"actor":"ann"} x"#, 400, "http.malformed_body"),
        (#"{"actor":"ann","actor":"bob"}"#, 400, "http.malformed_body"),
        ("[{\"actor\":\"ann\"},", 400, "http.malformed_body"),
        (#"{"actor":7}"#, 422, "http.schema_mismatch"),
        (#"{}"#, 422, "http.schema_mismatch"),
    ]

    @Test(arguments: refused)
    func aBadBodyReachesNobody(body: String, status: Int, code: String) async throws {
        let intake = RecordingIntake { _, _ in .unchanged }
        let response = try await answer(json(body), of: source(Self.schema), intake)
        #expect(response.status == status)
        #expect(response.body.string.contains("\"code\":\"\(code)\""), "\(response.body)")
        #expect(field(response, "Content-Type") == "application/problem+json")
        #expect(intake.inputs.isEmpty)
    }

    @Test func aSchemaProblemNamesThePlace() async throws {
        let response = try await answer(json(#"{"actor":7}"#), of: source(Self.schema))
        #expect(response.body.string.contains("`/actor`: expected string, found integer"), "\(response.body)")
    }

    @Test(arguments: [nil, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
    func otherContentTypesAre415(type: String?) async throws {
        let headers = type.map { [(name: "Content-Type", value: $0)] } ?? []
        let response = try await answer(FakeExchange("POST", headers: headers, body: "{}"), of: source())
        #expect(response.status == 415)
        #expect(response.body.string.contains("application/x-ndjson"))
    }

    @Test(arguments: ["application/json", "Application/JSON; charset=utf-8", "application/problem+json", "application/json ;x=1"])
    func jsonContentTypesAreTaken(type: String) async throws {
        let response = try await answer(FakeExchange("POST", headers: [("Content-Type", type)], body: "{}"), of: source())
        #expect(response.status == 201)
    }

    // MARK: Opaque bodies and bodiless methods

    @Test func anOpaqueBodyIsOneEventWithItsType() async throws {
        let intake = RecordingIntake { _, _ in .filtered }
        let exchange = FakeExchange("PUT", headers: [("Content-Type", "image/png")], body: Bytes([0, 1, 255]))
        let response = try await answer(exchange, of: source(#"{ "path": "/f", "method": "PUT", "content": "opaque" }"#), intake)
        #expect(response.status == 200)
        #expect(intake.inputs.map(\.payload) == [Bytes([0, 1, 255])])
        #expect(intake.inputs.first?.headers == [Header("content-type", "image/png")])
    }

    @Test func aGetWithoutABodyIsAnEmptyObject() async throws {
        let intake = RecordingIntake { _, _ in .unchanged }
        let source = try source(#"{ "path": "/ping", "method": "GET" }"#)
        #expect(source.routes[0].method == "GET")
        _ = try await answer(FakeExchange("GET"), of: source, intake)
        #expect(intake.inputs.map(\.payload) == ["{}"])
    }

    // MARK: Batches

    @Test func linesAreSlicesOfTheBody() async throws {
        let intake = RecordingIntake { index, _ in .published(id: "x", topic: "t", partition: 0, offset: Offset(index)) }
        let exchange = lines("{\"n\":1}\r\n\n  {\"n\":2}\t\n{\"n\":3}", headers: [("Idempotency-Key", "k")])
        let response = try await answer(exchange, of: source(), intake)
        #expect(response.status == 200)
        #expect(
            response.body.string
                == "{\"saved\":0,\"published\":3,\"unchanged\":0,\"filtered\":0,\"failed\":0,\"errors\":[]}\n")
        #expect(intake.inputs.map(\.payload) == [#"{"n":1}"#, #"{"n":2}"#, #"{"n":3}"#])
        #expect(intake.inputs.map(\.idempotencyKey) == ["k/1", "k/3", "k/4"])
    }

    @Test func aBadLineIsNamedAndTheOthersAreTaken() async throws {
        let intake = RecordingIntake { index, _ in index == 1 ? .unavailable(.transient("q.full", "full"), retryAfter: .seconds(3)) : .unchanged }
        let response = try await answer(
            lines("{\"actor\":\"a\"}\n{\"actor\":\n{\"actor\":1}\n{\"actor\":\"b\"}\n"), of: source(Self.schema), intake)
        #expect(response.status == 207)
        #expect(field(response, "Retry-After") == "3")
        let body = response.body.string
        #expect(body.hasPrefix(#"{"saved":0,"published":0,"unchanged":1,"filtered":0,"failed":3,"errors":[{"line":2,"status":400,"code":"http.malformed_body""#), "\(body)")
        #expect(body.contains(#"{"line":3,"status":422,"code":"http.schema_mismatch""#), "\(body)")
        #expect(body.contains(#"{"line":4,"status":503,"code":"q.full","detail":"full"}"#), "\(body)")
    }

    @Test func anArrayIsABatchWithIndexes() async throws {
        let intake = RecordingIntake { _, _ in .saved(id: "x", saved: [:]) }
        let response = try await answer(json(#" [{"actor":"a"}, {"actor":2}, {"actor":"c"}]"#), of: source(Self.schema), intake)
        #expect(response.status == 207)
        #expect(response.body.string.contains(#""saved":2"#))
        #expect(response.body.string.contains(#"{"index":1,"status":422"#))
        #expect(intake.inputs.map(\.payload) == [#"{"actor":"a"}"#, #"{"actor":"c"}"#])
    }

    @Test func aBatchOfWhichNothingWasTakenFails() async throws {
        let away = RecordingIntake { _, _ in .unavailable(.transient("db.away", "away"), retryAfter: .seconds(1)) }
        #expect(try await answer(lines("{}\n{}"), of: source(), away).status == 503)
        let refused = RecordingIntake { _, _ in .rejected(.permanent("db.no", "no")) }
        #expect(try await answer(lines("{}\n{}"), of: source(), refused).status == 422)
        #expect(try await answer(lines("\n"), of: source(), refused).status == 200)
    }

    @Test func aBatchOverTheLimitIsRefusedWhole() async throws {
        let intake = RecordingIntake { _, _ in .unchanged }
        let config = #"{ "path": "/likes", "max_batch_events": 2 }"#
        for exchange in [lines("{}\n{}\n{}"), json("[{},{},{}]")] {
            let response = try await answer(exchange, of: source(config), intake)
            #expect(response.status == 413)
            #expect(response.body.string.contains("At most 2 events"))
        }
        #expect(intake.inputs.isEmpty)
        #expect(try await answer(lines("{}\n{}"), of: source(config), intake).status == 200)
    }

    @Test func errorsAreListedUpToALimit() async throws {
        let body = String(repeating: "x\n", count: 150)
        let response = try await answer(lines(body), of: source())
        let text = response.body.string
        #expect(text.contains("\"failed\":150"))
        #expect(text.split(separator: "\"line\":").count == 101)
    }

    // MARK: Life cycle

    @Test func requestsUnderWayAreAnsweredBeforeItCloses() async throws {
        let source = try source()
        let early = json("{}")
        source.routes[0].handle(early)
        #expect(early.answer?.status == 503)

        let intake = RecordingIntake(isHolding: true) { _, _ in .unchanged }
        try await source.open(intake: intake)
        let underWay = json("{}")
        source.routes[0].handle(underWay)
        async let closing: Void = source.close()
        await waitUntil { () -> Bool in
            let late = self.json("{}")
            source.routes[0].handle(late)
            return late.answer?.status == 503
        }
        #expect(underWay.answer == nil)
        intake.release()
        await closing
        #expect(underWay.answer?.status == 200)
        await source.close()
    }

    // MARK: Config

    static let badConfigs: [(String, String)] = [
        ("{}", "config.json:1:1: missing required key `path`"),
        (#"{ "path": "likes" }"#, "config.json:1:11: path: must begin with `/`, found \"likes\""),
        (#"{ "path": "/l", "content": "opaque", "body_schema": {} }"#, "body_schema: needs `content` to be \"json\""),
        (#"{ "path": "/l", "body_schema": { "type": "objekt" } }"#, "config.json:1:32: body_schema: is no JSON Schema:"),
        (#"{ "path": "/l", "respond": { "body": { "k": "${@key}" } } }"#, "respond.body: `${@key}` has no value in an answer"),
        (#"{ "path": "/l", "respond": { "body": { "k": "${@oops}" } } }"#, "respond.body.k"),
    ]

    @Test(arguments: badConfigs)
    func aBadConfigIsReported(config: String, message: String) throws {
        let error = #expect(throws: ConfigError.self) { try source(config) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func theReadmeExampleDecodes() throws {
        let host = TestHost(payloads: SimdjsonPayloadReader(), schemas: ValijsonSchemaCompiler())
        let source = try host.make(
            HTTPSource.self, ReadmeExample.json(of: "HTTP"), reserved: ModuleKind.source.reservedKeys)
        #expect(source.routes.map(\.path) == ["/likes"])
    }
}
