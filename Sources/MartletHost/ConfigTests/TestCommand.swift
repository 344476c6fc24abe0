import Martlet
import Pipelines

/// `martlet test`: tests a config as a whole.
struct TestCommand: Command {
    static let name = "test"
    static let summary = "Test a config: events and requests in, rows, messages and requests out."
    static let usage = "[FILE...] [--filter TEXT] [--junit FILE]"
    static let options: [CommandOption] = [
        .option("filter", "TEXT", "Only tests with this text in their name."),
        .option("junit", "FILE", "Also write the outcome as JUnit XML."),
    ]
    static let details = """
        Without a FILE it takes config.test.json of the current folder. Each test runs the real pipelines of the config in a
        folder of its own: an empty log, SQLite for every database, buses in the process. What else would reach outside is
        replaced by recorders; requests through the host's HTTP client are kept and answered 200. Nothing leaves the machine.

        {
          "tests": [
            {
              "name": "a like notifies the owner of the post",
              "given": [
                { "request": { "path": "/likes", "json": { "actor": "ana", "post_id": 7, "post_owner": "ben" } }, "answer": { "status": 201 } }
              ],
              "expect": {
                "rows": [ { "database": "main", "table": "likes", "rows": [ { "actor": "ana", "post_id": 7 } ] } ],
                "pubsub": { "bus": [ { "key": "ben", "payload": { "text": "ana liked your post" } } ] }
              }
            }
          ]
        }

        Objects may have more members than expected, unless `expect` has "exact": true. A string can be a pattern: ${any},
        ${absent}, ${string}, ${number}, ${integer}, ${boolean}, ${uuid}, ${timestamp}, ${matches:REGEX}.

        Exit code 0 if all tests pass, 1 if one fails, 78 if a config or a test file is bad.

        examples:
          martlet test
          martlet test Tests/config.test.json --filter like
          martlet test --junit results.xml
        """

    private let files: [String]
    private let filter: String?
    private let junit: String?

    init(_ arguments: Arguments) throws {
        files = arguments.positional.isEmpty ? ["config.test.json"] : arguments.positional
        filter = arguments.value("filter")
        junit = arguments.value("junit")
    }

    func run() async throws -> ExitCode {
        // All files are read before the first test runs.
        let suites = try files.map { try ConfigTestSuite(path: $0) }
        let client = HTTPClient()
        try client.start()
        var reports: [ConfigTestReport] = []
        do {
            for suite in suites {
                let report = try await suite.run(client, filter: filter)
                Terminal.print(report.text)
                reports.append(report)
            }
        } catch {
            await client.close()
            throw error
        }
        await client.close()
        let count = reports.reduce(0) { $0 + $1.outcomes.count }
        let failed = reports.reduce(0) { $0 + $1.failed }
        if let junit { try FileTree.write(ConfigTestReport.junit(reports), to: junit) }
        guard count > 0 else {
            Terminal.printError(filter.map { "no test has `\($0)` in its name" } ?? "there is no test in \(files.joined(separator: ", "))")
            return .failed
        }
        Terminal.print(failed == 0 ? "\(count) test\(count == 1 ? "" : "s") passed" : "\(failed) of \(count) test\(count == 1 ? "" : "s") failed")
        return failed == 0 ? .done : .failed
    }
}
