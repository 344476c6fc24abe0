import Martlet

/// Answers of a webhook channel's admin API for people.
enum WebhookText {
    static func text(_ answer: JSONNode) -> String {
        if let endpoints = answer["endpoints"] { return endpointTable(endpoints.items) }
        if let deliveries = answer["deliveries"] { return deliveryTable(deliveries.items) }
        if let attempts = answer["attempts"] { return attemptTable(attempts.items) }
        if answer["replayed"] != nil { return "queued \(answer.text("replayed")) deliveries again" }
        return details(answer)
    }

    private static func endpointTable(_ endpoints: [JSONNode]) -> String {
        Terminal.table(
            ["ENDPOINT", "STATE", "ORIGIN", "EVENT TYPES", "FAILING SINCE", "URL"],
            endpoints.map { endpoint in
                [
                    endpoint.text("endpoint"), endpoint.text("state"), endpoint.text("origin"), types(endpoint),
                    time(endpoint["failing_since"]), endpoint.text("url"),
                ]
            })
    }

    private static func deliveryTable(_ deliveries: [JSONNode]) -> String {
        Terminal.table(
            ["ID", "ENDPOINT", "STATE", "ATTEMPTS", "EVENT TYPE", "KEY", "QUEUED", "NEXT", "WEBHOOK-ID"],
            deliveries.map { delivery in
                [
                    delivery.text("id"), delivery.text("endpoint"), delivery.text("state"), delivery.text("attempts"),
                    delivery.text("event_type"), delivery.text("key"), time(delivery["created_at"]), time(delivery["due_at"]),
                    delivery.text("webhook_id"),
                ]
            })
    }

    private static func attemptTable(_ attempts: [JSONNode]) -> String {
        Terminal.table(
            ["DELIVERY", "ATTEMPT", "ENDPOINT", "STARTED", "MS", "STATUS", "ERROR OR ANSWER"],
            attempts.map { attempt in
                let words = attempt["error"]?.rawText ?? attempt["answer"]?.rawText ?? "-"
                return [
                    attempt.text("delivery"), attempt.text("attempt"), attempt.text("endpoint"), time(attempt["started_at"]),
                    attempt.text("latency_ms"), attempt.text("status"), String(words.prefix { !$0.isNewline }.prefix(100)),
                ]
            })
    }

    private static func details(_ endpoint: JSONNode) -> String {
        var lines = ["\(endpoint.text("endpoint")) is \(endpoint.text("state"))"]
        if let reason = endpoint["reason"]?.rawText { lines.append("reason       \(reason)") }
        if endpoint["url"] != nil {
            lines.append("url          \(endpoint.text("url"))")
            lines.append("event types  \(types(endpoint))")
            lines.append("in flight    \(endpoint.text("max_in_flight")) at most")
        }
        if endpoint["waiting"] != nil { lines.append("waiting      \(endpoint.text("waiting"))") }
        for secret in endpoint["secrets"]?.items ?? [] {
            let until = secret["until"]?.wholeNumber.map { ", until \(LogOutput.utc($0))" } ?? ""
            let key = secret["public_key"]?.rawText.map { ", \($0)" } ?? ""
            lines.append("secret       \(secret.text("algorithm"))\(key)\(until)")
        }
        if let secret = endpoint["secret"]?.rawText { lines.append("\nThe secret, which is not shown again:\n\(secret)") }
        return lines.joined(separator: "\n")
    }

    private static func types(_ endpoint: JSONNode) -> String {
        let types = endpoint["event_types"]?.items.compactMap(\.rawText) ?? []
        return types.isEmpty ? "all" : types.joined(separator: ",")
    }

    private static func time(_ node: JSONNode?) -> String {
        node?.wholeNumber.map { LogOutput.utc($0) } ?? "-"
    }
}
