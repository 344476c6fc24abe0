import Martlet

/// Requests that did not get to a part's routes.
struct AccessMetrics: Sendable {
    private let refusals: [String: Counter]

    init(_ registry: MetricsRegistry, part: String) {
        let reasons = ["missing", "refused", "forbidden", "unavailable", "bad_request"]
        refusals = Dictionary(
            uniqueKeysWithValues: reasons.map { reason in
                let counter = registry.counter(
                    "martlet_auth_refused_total", "Requests that `auth` or `require` did not let through.",
                    labels: [("part", part), ("reason", reason)])
                return (reason, counter)
            })
    }

    func refused(_ reason: String) {
        refusals[reason]?.add()
    }
}
