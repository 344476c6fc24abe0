package import Foundation

/// Debian's Python with the packages of `Tests/python-packages.txt`.
package enum Python {
    package static func process(_ script: String, _ arguments: [String] = []) -> Process {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..").standardized
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", script] + arguments
        process.environment = ["PYTHONPATH": root.appendingPathComponent(".build/python").path, "PYTHONUNBUFFERED": "1"]
        return process
    }

    /// Runs a script and returns the lines that it prints. Blocks.
    ///
    /// - Parameter input: what it may read, all of it, from standard input; little enough for a pipe to hold.
    package static func run(_ script: String, _ arguments: [String] = [], input: Data = Data()) throws -> [String] {
        let process = process(script, arguments)
        let (given, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = given
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        try given.fileHandleForWriting.write(contentsOf: input)
        try given.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw TestFailure(complaint + "\nscripts/install test installs what it needs") }
        return text.split(separator: "\n").map(String.init)
    }
}
