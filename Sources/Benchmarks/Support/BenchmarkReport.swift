package import Martlet

/// What a benchmark measured, each number once a run.
package struct BenchmarkReport: Sendable {
    /// What a number should reach.
    enum Aim: Sendable {
        case atLeast(Double)
        case atMost(Double)
    }

    /// One number with its values of all runs.
    struct Measure: Sendable {
        let name: String
        let unit: String
        let aim: Aim?
        /// A number that makes the whole benchmark fail if its aim is missed: lost and duplicate events.
        let isPromise: Bool
        var values: [Double]

        var minimum: Double { values.min() ?? 0 }
        var maximum: Double { values.max() ?? 0 }
        var median: Double {
            let sorted = values.sorted()
            guard !sorted.isEmpty else { return 0 }
            let middle = sorted.count / 2
            return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        }

        /// Whether the median reaches the aim; nil without one.
        var isMet: Bool? {
            switch aim {
            case nil: nil
            case .atLeast(let wanted): median >= wanted
            case .atMost(let wanted): median <= wanted
            }
        }
    }

    let name: String
    private(set) var measures: [Measure] = []
    private(set) var notes: [String] = []

    init(_ name: String) {
        self.name = name
    }

    /// Adds the value of one run.
    mutating func add(_ name: String, _ value: Double, _ unit: String, aim: Aim? = nil) {
        add(name, value, unit, aim, isPromise: false)
    }

    /// Adds a count that must be zero.
    mutating func addPromise(_ name: String, _ count: Int) {
        add(name, Double(count), "", .atMost(0), isPromise: true)
    }

    private mutating func add(_ name: String, _ value: Double, _ unit: String, _ aim: Aim?, isPromise: Bool) {
        if let index = measures.firstIndex(where: { $0.name == name }) {
            measures[index].values.append(value)
        } else {
            measures.append(Measure(name: name, unit: unit, aim: aim, isPromise: isPromise, values: [value]))
        }
    }

    /// A line below the table; the same line of a later run is dropped.
    mutating func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }

    /// Whether nothing was lost and nothing came twice, in any run.
    package var keepsPromises: Bool {
        measures.allSatisfy { !$0.isPromise || $0.maximum == 0 }
    }

    // MARK: For people

    /// The columns of ``rows``.
    package static let header = ["MEASURE", "MIN", "MEDIAN", "MAX", "UNIT", "AIM", "MET"]

    /// A line for each number.
    package var rows: [[String]] {
        measures.map { measure in
            [
                measure.name, Self.text(measure.minimum), Self.text(measure.median), Self.text(measure.maximum),
                measure.unit.isEmpty ? "-" : measure.unit, measure.aim.map(Self.text) ?? "-",
                measure.isMet.map { $0 ? "yes" : "no" } ?? "-",
            ]
        }
    }

    /// What is to be said below the table.
    package var remarks: [String] { notes }

    private static func text(_ aim: Aim) -> String {
        switch aim {
        case .atLeast(let value): ">= " + text(value)
        case .atMost(let value): "<= " + text(value)
        }
    }

    /// Three significant digits, whole numbers with their thousands apart.
    private static func text(_ value: Double) -> String {
        if value >= 100 || value == value.rounded() { return grouped(Int(value.rounded())) }
        let digits = value >= 10 ? 1 : value >= 1 ? 2 : 3
        let scale = [1.0, 10, 100, 1000][digits]
        let whole = Int((value * scale).rounded())
        let fraction = String(whole % Int(scale))
        return "\(whole / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    private static func grouped(_ value: Int) -> String {
        var digits = Array(String(abs(value)))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return (value < 0 ? "-" : "") + String(digits)
    }

    // MARK: For programs

    /// The report as JSON.
    package var json: JSONNode {
        .object([
            ("bench", .string(name)), ("machine", .string(Machine.summary)),
            ("measures", .array(measures.map(Self.json))), ("notes", .array(notes.map { .string($0) })),
        ])
    }

    private static func json(_ measure: Measure) -> JSONNode {
        var members: [(String, JSONNode)] = [
            ("name", .string(measure.name)), ("unit", .string(measure.unit)), ("min", .number(measure.minimum)),
            ("median", .number(measure.median)), ("max", .number(measure.maximum)),
            ("values", .array(measure.values.map { .number($0) })),
        ]
        switch measure.aim {
        case .atLeast(let value): members.append(("at_least", .number(value)))
        case .atMost(let value): members.append(("at_most", .number(value)))
        case nil: break
        }
        if let isMet = measure.isMet { members.append(("met", .bool(isMet))) }
        return .object(members)
    }
}
