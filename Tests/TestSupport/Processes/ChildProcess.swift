import Foundation
package import Glibc

/// The built `martlet` as a process in a folder of its own; its output goes to files there. It is killed with this object.
package final class ChildProcess {
    /// Next to the test's own executable.
    package static let binary = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("martlet").path

    /// The shell closes what the test process has open (a socket that the child held too would never end), changes the
    /// folder and becomes the program, under the same process id.
    private static let script =
        #"for file in /proc/self/fd/*; do [ ${file##*/} -gt 2 ] && eval "exec ${file##*/}>&-"; done; cd "$0" && exec "$@""#

    package let id: pid_t
    private var exitCode: Int32?

    /// - Parameters:
    ///   - input: the file that is its standard input.
    ///   - output, errors: files in the folder that standard output and error are appended to.
    package init(
        _ arguments: [String], in folder: TemporaryFolder, input: String = "/dev/null", output: String, errors: String,
        environment: [String: String] = [:]
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, folder[output], O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, folder[errors], O_WRONLY | O_CREAT | O_APPEND, 0o644)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test runner's threads may block signals; the process must get its own.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        let shell = ["bash", "-c", Self.script, folder.path, Self.binary] + arguments
        var id: pid_t = 0
        let code = Self.withCStrings(shell) { arguments in
            Self.withCStrings(variables) { posix_spawn(&id, "/bin/bash", &actions, &attributes, arguments, $0) }
        }
        guard code == 0 else { throw TestFailure("cannot start \(Self.binary): \(String(cString: strerror(code)))") }
        self.id = id
    }

    deinit {
        guard exitCode == nil else { return }
        Glibc.kill(id, SIGKILL)
        var status: Int32 = 0
        waitpid(id, &status, 0)
    }

    package func signal(_ number: Int32) {
        Glibc.kill(id, number)
    }

    /// The exit code, or 128 and the number of the signal that ended it; nil while it runs.
    package var ended: Int32? {
        if exitCode == nil {
            var status: Int32 = 0
            guard waitpid(id, &status, WNOHANG) == id else { return nil }
            exitCode = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        }
        return exitCode
    }

    @discardableResult
    package func waitForEnd() async throws -> Int32 {
        try await eventually("the end of the process") { ended }
    }

    private static func withCStrings<Value>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        let copies = strings.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        return body(copies)
    }
}
