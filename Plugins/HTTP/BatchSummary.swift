import Martlet

/// The answer to a batch: how many events came to what, and what is wrong with the first of those not taken.
struct BatchSummary {
    /// Errors that an answer lists.
    static let errorLimit = 100

    private var saved = 0
    private var published = 0
    private var unchanged = 0
    private var filtered = 0
    private var refusals: [(number: Int, refusal: Refusal)]
    private let numbering: Batch.Numbering

    init(_ batch: Batch, _ outcomes: [IntakeOutcome]) {
        numbering = batch.numbering
        refusals = batch.refusals
        for (index, outcome) in outcomes.enumerated() {
            switch outcome {
            case .saved: saved += 1
            case .published, .sent: published += 1
            case .unchanged: unchanged += 1
            case .filtered: filtered += 1
            case .rejected, .unavailable, .conflict:
                if let refusal = Refusal(outcome) { refusals.append((batch.numbers[index], refusal)) }
            }
        }
        refusals.sort { $0.number < $1.number }
    }

    /// 200 if all were taken, 207 if some were; if none was, 503 if trying again may help, else 422.
    var status: Int {
        if refusals.isEmpty { return 200 }
        if taken > 0 { return 207 }
        return retryAfter == nil ? 422 : 503
    }

    private var taken: Int { saved + published + unchanged + filtered }

    private var retryAfter: Int? { refusals.compactMap(\.refusal.retryAfter).max() }

    var response: HTTPResponse {
        var headers = [(name: "Content-Type", value: "application/json")]
        if let retryAfter { headers.append(("Retry-After", String(retryAfter))) }
        return HTTPResponse(status: status, headers: headers, body: Bytes(body))
    }

    private var body: String {
        var json = "{\"saved\":\(saved),\"published\":\(published),\"unchanged\":\(unchanged),\"filtered\":\(filtered)"
        json += ",\"failed\":\(refusals.count),\"errors\":["
        for (index, entry) in refusals.prefix(Self.errorLimit).enumerated() {
            if index > 0 { json += "," }
            json += "{\"\(numbering.rawValue)\":\(entry.number),\"status\":\(entry.refusal.status)"
            json += ",\"code\":\(JSONText.quoted(entry.refusal.code))"
            json += ",\"detail\":\(JSONText.quoted(entry.refusal.detail))}"
        }
        return json + "]}\n"
    }
}
