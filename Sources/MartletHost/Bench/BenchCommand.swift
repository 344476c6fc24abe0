import Benchmarks
import Glibc
import Martlet

/// `martlet bench`: measures this build on this machine.
struct BenchCommand: Command {
    static let name = "bench"
    static let summary = "Measure this build on this machine."
    static let usage = "flow|ingest|fanout|users|resume|log|sink|start|webhooks [OPTIONS]"
    static let options: [CommandOption] = BenchKind.allOptions
    static var details: String { BenchKind.details }

    private let kind: BenchKind
    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        self.arguments = arguments
        guard let word = arguments.positional.first else {
            throw UsageError("expected what to measure: \(BenchKind.listed)")
        }
        guard let kind = BenchKind(rawValue: word), arguments.positional.count == 1 else {
            let guess = Suggestion.question(for: word, among: BenchKind.visible.map(\.rawValue))
            throw UsageError(
                "expected one of \(BenchKind.listed), found `\(arguments.positional.joined(separator: " "))`\(guess)")
        }
        self.kind = kind
        let own = Set(kind.options.map(\.name))
        if let other = Self.options.first(where: { arguments.has($0.name) && !own.contains($0.name) }) {
            throw UsageError("--\(other.name) is no option of `bench \(word)`")
        }
    }

    func run() async throws -> ExitCode {
        let report = try await kind.benchmark(arguments, settings()).runOnOwnThread()
        if arguments.has("json") {
            Terminal.print(JSONWriter.text(report.json, layout: .pretty))
        } else if !report.rows.isEmpty {
            Terminal.print(Terminal.table(BenchmarkReport.header, report.rows))
            Terminal.print(([""] + report.remarks + [Machine.summary]).joined(separator: "\n"))
        }
        return report.keepsPromises ? .done : .failed
    }

    private func settings() throws -> BenchmarkSettings {
        let runs = try arguments.integer("runs", default: 3, in: 1...100)
        let seconds = try arguments.integer("seconds", default: 5, in: 1...3600)
        let directory = arguments.value("directory") ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let isQuiet = arguments.has("json") || isatty(STDERR_FILENO) == 0
        let name = kind.rawValue
        return BenchmarkSettings(runs: runs, seconds: Double(seconds), directory: directory) { text in
            if !isQuiet { Terminal.printError("bench \(name): \(text)") }
        }
    }
}
