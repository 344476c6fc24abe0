import Martlet

/// The answer to a request with one event.
enum SingleAnswer {
    static func response(_ outcome: IntakeOutcome, to input: SourceInput, respond: RespondPlan?) -> HTTPResponse {
        if let refusal = Refusal(outcome) { return refusal.response }
        switch outcome {
        case .saved(let id, let saved):
            return taken(201, id, saved, input, respond) { json in
                append(id, to: &json)
            }
        case .published(let id, let topic, let partition, let offset):
            return taken(202, id, [:], input, respond) { json in
                append(id, to: &json)
                json += #","topic":"#.utf8
                JSONText.appendQuoted(topic.text, to: &json)
                json += ",\"partition\":\(partition),\"offset\":\(offset)".utf8
            }
        case .sent(let id):
            return taken(202, id, [:], input, respond) { json in
                append(id, to: &json)
            }
        case .unchanged:
            return json(200, Bytes(#"{"status":"unchanged"}"# + "\n"))
        case .filtered, .rejected, .unavailable, .conflict:
            return json(200, Bytes(#"{"status":"filtered"}"# + "\n"))
        }
    }

    private static func taken(
        _ status: Int, _ id: Bytes, _ saved: [String: DataValue], _ input: SourceInput, _ respond: RespondPlan?,
        _ members: (inout [UInt8]) -> Void
    ) -> HTTPResponse {
        if let body = respond?.body(of: input, id: id, saved: saved) {
            return json(respond?.status ?? status, body)
        }
        var body: [UInt8] = []
        body.reserveCapacity(192)
        body.append(UInt8(ascii: "{"))
        members(&body)
        body += "}\n".utf8
        return json(respond?.status ?? status, Bytes(body))
    }

    private static func append(_ id: Bytes, to json: inout [UInt8]) {
        json += #""id":"#.utf8
        JSONText.appendQuoted(id.string, to: &json)
    }

    private static func json(_ status: Int, _ body: Bytes) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("Content-Type", "application/json")], body: body)
    }
}
