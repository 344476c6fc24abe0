import Martlet
import Pipelines

/// `POST /v1/topics/{topic}/records`: publishes events and answers where they are, once the log has acknowledged them.
///
/// A body of type `application/x-ndjson` is an event a line, any other is one event. Parameters: `format` (`json`,
/// `text`, or `envelope` with key and headers), `envelope=true` for the last of these, `key` for events without one,
/// `first_line` for the numbers in messages.
struct RecordWriteResource: Sendable {
    private static let lineTypes: Set<String> = [
        "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "text/plain",
    ]

    let host: Host

    func answer(_ exchange: any HTTPExchange) async throws -> HTTPResponse {
        let topic = try TopicResource(host: host).topic(exchange.pathParameter("topic") ?? "")
        let reader = RequestEvents(
            form: try form(exchange), key: exchange.queryParameter("key").map { Bytes($0) },
            firstLine: try exchange.queryInteger("first_line", default: 1, in: 1...Int.max))
        let type = (exchange.header("Content-Type") ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
        let events = try reader.read(exchange.body, isLines: Self.lineTypes.contains(type))
        guard !events.isEmpty else { throw AdminProblem.badRequest("the body holds no event") }
        let first = reader.firstLine
        let schemas = host.graph.schemas
        for (index, event) in events.enumerated() {
            do throws(ModuleError) {
                try schemas.check(event, for: topic.name)
            } catch {
                let which = events.count > 1 ? "event \(first + index), and with it all \(events.count): " : ""
                var problem = AdminProblem(422, "The event was refused", which + error.message)
                problem.extensions = [("code", .string(error.code))]
                throw problem
            }
        }
        let places = try await host.log.append(events, to: topic.name)
        let records = zip(events, places).map { event, place -> JSONNode in
            [
                "partition": .integer(Int64(place.partition)), "offset": .integer(place.offset),
                "id": .string(event.id.string),
            ]
        }
        return .json([
            "topic": .string(topic.name.text), "count": .integer(Int64(records.count)), "records": .array(records),
        ])
    }

    private func form(_ exchange: any HTTPExchange) throws(AdminProblem) -> RequestEvents.Form {
        let isEnvelope = try exchange.queryFlag("envelope")
        guard let text = exchange.queryParameter("format") else { return isEnvelope ? .envelope : .json }
        guard let form = RequestEvents.Form(rawValue: text), !isEnvelope || form == .envelope else {
            let forms = RequestEvents.Form.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("`format` must be one of \(forms), found `\(text)`\(isEnvelope ? " beside envelope=true" : "")")
        }
        return form
    }
}
