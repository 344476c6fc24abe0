import Foundation
import TestSupport

/// A Chromium without a window, at one page.
final class Browser {
    private let process = Process()
    private let folder: TemporaryFolder

    init(at url: String) throws {
        folder = try TemporaryFolder()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/chromium")
        process.arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--remote-debugging-port=0", "--user-data-dir=\(folder.path)", url,
        ]
        // Its sockets are left behind where it puts its temporary files.
        process.environment = ProcessInfo.processInfo.environment.merging(["TMPDIR": folder.path]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// Ends the browser, its own process only; the others of it follow.
    func quit() {
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
    }

    deinit {
        quit()
    }
}
