import Synchronization

/// All metrics of a host, rendered in Prometheus' text format.
///
/// Making a metric takes a lock; using one takes none. Asking again for the same name and labels returns the same metric.
public final class MetricsRegistry: Sendable {
    private struct Family {
        let type: String
        let help: String
        var series: [(labels: String, metric: any Metric)] = []
    }

    private struct State {
        var order: [String] = []
        var families: [String: Family] = [:]
        var collectors: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    public init() {}

    /// A number that only grows. By Prometheus' rule its name ends in `_total`.
    public func counter(_ name: String, _ help: String, labels: [(String, String)] = []) -> Counter {
        metric(name, help, labels, type: "counter") { Counter() }
    }

    /// A number that goes up and down.
    public func gauge(_ name: String, _ help: String, labels: [(String, String)] = []) -> Gauge {
        metric(name, help, labels, type: "gauge") { Gauge() }
    }

    /// A counter that is kept elsewhere and only copied here before each rendering.
    package func externalCounter(_ name: String, _ help: String, labels: [(String, String)] = []) -> Gauge {
        metric(name, help, labels, type: "counter") { Gauge() }
    }

    /// Durations in seconds. By Prometheus' rule its name ends in `_seconds`.
    public func histogram(_ name: String, _ help: String, labels: [(String, String)] = []) -> Histogram {
        metric(name, help, labels, type: "histogram") { Histogram() }
    }

    /// Runs before each rendering, to set gauges whose value is only looked up when asked for.
    public func beforeCollecting(_ collector: @escaping @Sendable () -> Void) {
        state.withLock { $0.collectors.append(collector) }
    }

    /// Forgets series that carry the label, such as those of a group that a reload removed.
    public func removeSeries(label: String, value: String) {
        let wanted = "\(label)=\(JSONText.quoted(value))"
        state.withLock { state in
            for name in state.order {
                state.families[name]?.series.removeAll { $0.labels.split(separator: ",").contains { $0 == wanted } }
            }
        }
    }

    /// The text for `GET /metrics` (Prometheus exposition format 0.0.4).
    public func render() -> String {
        for collect in state.withLock({ $0.collectors }) { collect() }
        return state.withLock { state in
            var text = ""
            for name in state.order {
                guard let family = state.families[name], !family.series.isEmpty else { continue }
                text += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.type)\n"
                for series in family.series { series.metric.render(name, series.labels, into: &text) }
            }
            return text
        }
    }

    private func metric<M: Metric>(
        _ name: String, _ help: String, _ labels: [(String, String)], type: String, _ make: () -> M
    ) -> M {
        let rendered = labels.map { "\($0.0)=\(JSONText.quoted($0.1))" }.joined(separator: ",")
        return state.withLock { state in
            if state.families[name] == nil {
                state.order.append(name)
                state.families[name] = Family(type: type, help: help)
            }
            if let existing = state.families[name]?.series.first(where: { $0.labels == rendered })?.metric {
                guard let existing = existing as? M else { preconditionFailure("metric \(name) has two types") }
                return existing
            }
            let metric = make()
            state.families[name]?.series.append((rendered, metric))
            return metric
        }
    }
}

/// One time series, or a histogram's group of them.
protocol Metric: Sendable {
    func render(_ name: String, _ labels: String, into text: inout String)
}
