import Foundation

/// Programs that run to their end.
package enum Program {
    /// Runs a program and returns its exit code and what it printed, errors among it. Blocks.
    ///
    /// - Parameters:
    ///   - name: a path, or a name that is looked for in `PATH`.
    ///   - environment: what is added to this process's.
    package static func run(
        _ name: String, _ arguments: [String], in folder: String? = nil, environment: [String: String] = [:]
    ) throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name] + arguments
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
