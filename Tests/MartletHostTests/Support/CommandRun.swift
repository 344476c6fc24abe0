import Foundation
import TestSupport

/// A command of the built `martlet`, run to its end.
struct CommandRun {
    let code: Int32
    let output: String
    let errors: String

    /// The lines of standard output.
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Standard output as JSON.
    func json() throws -> Any {
        try JSONSerialization.jsonObject(with: Data(output.utf8))
    }

    /// - Parameter input: what it reads from standard input.
    init(
        _ arguments: [String], in folder: TemporaryFolder, input: String? = nil, environment: [String: String] = [:]
    ) async throws {
        let run = UUID().uuidString
        if let input { try folder.write(input, to: "in-\(run)") }
        let process = try ChildProcess(
            arguments, in: folder, input: input == nil ? "/dev/null" : folder["in-\(run)"], output: "out-\(run)",
            errors: "err-\(run)", environment: environment)
        code = try await process.waitForEnd()
        output = folder.read("out-\(run)")
        errors = folder.read("err-\(run)")
    }
}
