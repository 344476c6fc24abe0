import Foundation
import TestSupport

/// A PostgreSQL database seen from outside of any host.
struct PSQL {
    let url: String

    /// The rows of the statements, columns joined by `|`.
    @discardableResult
    func rows(_ sql: String) async throws -> [String] {
        let url = url
        return try await onThread {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["psql", url, "-AtXq", "-v", "ON_ERROR_STOP=1", "-c", sql]
            let (output, errors) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = errors
            process.standardInput = FileHandle.nullDevice
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            let complaint = errors.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw TestFailure("\(sql): \(String(decoding: complaint, as: UTF8.self))") }
            return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    func count(_ sql: String) async throws -> Int {
        try Int(await rows(sql).first ?? "") ?? -1
    }
}

extension Server {
    /// Its database `main`.
    var sql: PSQL { PSQL(url: address) }
}
