import Foundation

/// Debian's Python with the packages of `Tests/python-packages.txt`.
enum Python {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a script and returns the lines that it prints.
    static func run(_ script: String, _ arguments: [String] = []) throws -> [String] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", script] + arguments
        process.environment = ["PYTHONPATH": root.appendingPathComponent(".build/python").path]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: complaint + "\nscripts/install test installs what it needs") }
        return text.split(separator: "\n").map(String.init)
    }
}
