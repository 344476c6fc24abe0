import Foundation
import TestSupport

/// A run of the built `martlet bench` with tiny numbers.
struct BenchRun {
    /// One number of a report.
    struct Measure: Decodable {
        let name: String
        let unit: String
        let min: Double
        let median: Double
        let max: Double
        let values: [Double]
    }

    private struct Report: Decodable {
        let bench: String
        let machine: String
        let measures: [Measure]
        let notes: [String]
    }

    /// What lies beside the tests is what they were built with.
    private static let program: URL = {
        #if os(Linux)
            URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
                .appendingPathComponent("martlet")
        #endif
    }()

    let exitCode: Int32
    let output: String
    let errors: String

    /// Runs `martlet bench` with these words, in a folder of its own.
    init(_ words: [String]) throws {
        let folder = try TemporaryFolder()
        for name in ["output", "errors"] { try folder.write("", to: name) }
        let process = Process()
        process.executableURL = Self.program
        process.arguments = ["bench"] + words
        process.environment = ProcessInfo.processInfo.environment.merging(["TMPDIR": folder.path]) { $1 }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder["output"]))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder["errors"]))
        try process.run()
        process.waitUntilExit()
        exitCode = process.terminationStatus
        output = folder.read("output")
        errors = folder.read("errors")
        leftovers = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("martlet-bench-") }
    }

    /// Folders that the benchmark made and did not remove.
    let leftovers: [String]

    /// The numbers of a run with `--json`, by name.
    func measures() throws -> [String: Measure] {
        let report = try JSONDecoder().decode(Report.self, from: Data(output.utf8))
        return Dictionary(uniqueKeysWithValues: report.measures.map { ($0.name, $0) })
    }
}
