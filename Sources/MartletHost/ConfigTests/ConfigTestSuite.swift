import Martlet
import Pipelines

/// A test file, read and checked.
struct ConfigTestSuite {
    private let path: String
    private let file: ConfigTestFile
    private let configPath: String

    /// - Throws: ``ConfigError`` with all problems of the test file.
    init(path: String) throws {
        self.path = path
        let text = try FileTree.read(path)
        let problems = ConfigProblems(file: path)
        let file = JSONReader.read(text, problems: problems).flatMap { root in
            ConfigTestFile.decode(root, path: .root, problems: problems, keys: .strict(reserved: []))
        }
        if let file { Self.checkPatterns(file, problems) }
        try problems.throwIfAny()
        guard let file else { throw ConfigError(problems: problems.sorted) }
        self.file = file
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        if let config = file.config {
            configPath = config.hasPrefix("/") ? config : folder + config
        } else {
            configPath = path.hasSuffix(".test.json") ? String(path.dropLast(".test.json".count)) + ".json" : folder + "config.json"
        }
    }

    func run(_ client: HTTPClient, filter: String?) async throws -> ConfigTestReport {
        let modules = try StandardModules.registry()
        var outcomes: [ConfigTestRun.Outcome] = []
        var host: Host?
        // One host ends beside the next test.
        var ending = Task {}
        do {
            for test in file.tests where filter.map({ test.name.contains($0) }) ?? true {
                let run = ConfigTestRun(test: test, file: file, configPath: configPath, client: client, modules: modules)
                let (outcome, end) = try await run.run(after: &host)
                outcomes.append(outcome)
                await ending.value
                ending = Task { await end() }
            }
        } catch {
            await ending.value
            throw error
        }
        await ending.value
        return ConfigTestReport(file: path, outcomes: outcomes)
    }

    /// A misspelt pattern would never match, or always.
    private static func checkPatterns(_ file: ConfigTestFile, _ problems: ConfigProblems) {
        for test in file.tests {
            let expect = test.expect
            let lists = [expect.events, expect.sinks, expect.channels, expect.pubSub, expect.streams, expect.deadLetters].flatMap { $0.flatMap(\.value) }
            let answers = test.given.compactMap(\.answer).flatMap { ($0.json.map { [$0] } ?? []) + ($0.body.map { [$0] } ?? []) + $0.headers.map(\.value) }
            for node in lists + answers + expect.rows.flatMap(\.rows) + (expect.requests ?? []) { check(node, problems) }
        }
    }

    private static func check(_ node: JSONNode, _ problems: ConfigProblems) {
        switch node.kind {
        case .string(let text):
            guard let problem = JSONPattern.problem(text) else { return }
            problems.report(
                .invalid, at: ConfigPlace(path: .root, position: node.position), problem,
                choices: ConfigProblem.Choices("patterns", JSONPattern.names.map { "${\($0)}" }), hint: "write `$${` for text that begins with `${`")
        case .array(let items): for item in items { check(item, problems) }
        case .object(let object): for member in object.members { check(member.value, problems) }
        case .null, .bool, .number: break
        }
    }
}
