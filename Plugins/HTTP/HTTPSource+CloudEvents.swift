import Martlet

/// CloudEvents 1.0 over HTTP: binary, structured and batched content mode.
extension HTTPSource {
    func takeCloudEvents(_ exchange: any HTTPExchange, _ intake: any Intake) throws(Refusal) {
        let variables = ExchangeVariables(exchange)
        let contentType = exchange.header("content-type")
        let type = (contentType ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
        switch type {
        case CloudEvent.structuredType:
            do throws(PayloadError) {
                try checker.payloads.check(exchange.body)
            } catch {
                throw .malformed(error)
            }
            take(try structured(exchange.body, at: "").input(variables: variables), exchange, intake)
        case CloudEvent.batchType:
            let events = try batch(exchange.body)
            let inputs = events.map { $0.input(variables: variables) }
            take(Batch(checked: inputs.map(\.payload)), inputs, exchange, intake)
        default:
            guard CloudEvent.isBinary(exchange.headers) else { throw .noCloudEvent(contentType) }
            let event: CloudEvent
            do throws(CloudEventProblem) {
                event = try CloudEvent(binary: exchange.headers, body: exchange.body)
            } catch {
                throw .badCloudEvent(error, at: "")
            }
            take(try checked(event, at: "").input(variables: variables), exchange, intake)
        }
    }

    /// All of them, or a refusal of the first that is wrong: then none is taken.
    private func batch(_ body: Bytes) throws(Refusal) -> [CloudEvent] {
        var events: [CloudEvent] = []
        for (index, element) in try checker.elements(of: body, limit: config.maxBatchEvents).enumerated() {
            events.append(try structured(element, at: "/\(index)"))
        }
        return events
    }

    private func structured(_ json: Bytes, at place: String) throws(Refusal) -> CloudEvent {
        let event: CloudEvent
        do throws(CloudEventProblem) {
            event = try CloudEvent(structured: json)
        } catch {
            throw .badCloudEvent(error, at: place)
        }
        return try checked(event, at: place)
    }

    /// Data that says it is JSON is JSON, and meets the schema; with a schema there is no other.
    private func checked(_ event: CloudEvent, at place: String) throws(Refusal) -> CloudEvent {
        guard event.isJSON else {
            if checker.schema != nil {
                throw .badCloudEvent(CloudEventProblem("must be JSON, for the source has a `body_schema`", at: "/datacontenttype"), at: place)
            }
            return event
        }
        try checker.check(event.data ?? "null")
        return event
    }
}

extension Refusal {
    fileprivate static func noCloudEvent(_ contentType: String?) -> Refusal {
        Refusal(
            status: 415, title: "The request is no CloudEvent",
            detail: "Expected headers ce-specversion, ce-id, ce-source and ce-type, or Content-Type \(CloudEvent.structuredType) or "
                + "\(CloudEvent.batchType); found \(contentType.map { JSONText.quoted($0) } ?? "no Content-Type").",
            code: "http.no_cloud_event")
    }

    fileprivate static func badCloudEvent(_ problem: CloudEventProblem, at place: String) -> Refusal {
        Refusal(
            status: 400, title: "The CloudEvent is not valid", detail: "\(place)\(problem.place): \(problem.message)",
            code: "http.bad_cloud_event")
    }
}
