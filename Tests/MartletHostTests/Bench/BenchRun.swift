import Foundation

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
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-bench-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let outputFile = folder.appendingPathComponent("output")
        let errorFile = folder.appendingPathComponent("errors")
        for file in [outputFile, errorFile] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = Self.program
        process.arguments = ["bench"] + words
        process.environment = ProcessInfo.processInfo.environment.merging(["TMPDIR": folder.path]) { $1 }
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        try process.run()
        process.waitUntilExit()
        exitCode = process.terminationStatus
        output = try String(contentsOf: outputFile, encoding: .utf8)
        errors = try String(contentsOf: errorFile, encoding: .utf8)
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
