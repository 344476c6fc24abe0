import Testing

/// A config with a mistake, and the whole report that it must get.
struct ConfigMistake: Sendable, CustomTestStringConvertible {
    let name: String
    let json: String
    let report: String

    init(_ name: String, _ json: String, _ report: String) {
        self.name = name
        self.json = json
        self.report = report
    }

    var testDescription: String { name }
}
