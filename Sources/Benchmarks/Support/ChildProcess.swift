import CLinux

/// A program started for a measurement. It ends with this object, and with the thread that started it.
final class ChildProcess {
    let id: pid_t
    /// Where its standard output and error go.
    let outputPath: String
    private var exitStatus: Int32?

    /// - Parameters:
    ///   - arguments: without the program's own name.
    ///   - deathSignal: sent by the kernel if the benchmark's thread ends first.
    init(_ program: String, _ arguments: [String], output: String, deathSignal: Int32 = SIGKILL) throws(BenchmarkError) {
        outputPath = output
        let descriptor = clinux_create_file(output)
        guard descriptor >= 0 else { throw .system("create \(output)") }
        defer { close(descriptor) }
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        id = clinux_spawn(program, &words, descriptor, deathSignal)
        guard id > 0 else { throw .system("start \(program)") }
    }

    deinit {
        stop(signal: SIGKILL, atMost: 5)
    }

    /// This very program.
    static var ownProgram: String {
        get throws(BenchmarkError) {
            var name = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/self/exe", &name, name.count)
            guard count > 0 else { throw .system("find this program's file") }
            return String(decoding: name[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// The first of the usual places that has an executable file of this name.
    static func find(_ name: String) -> String? {
        ["/usr/local/bin/", "/usr/bin/", "/usr/local/sbin/", "/usr/sbin/"].map { $0 + name }.first { access($0, X_OK) == 0 }
    }

    var hasEnded: Bool {
        if exitStatus != nil { return true }
        var status: Int32 = 0
        guard clinux_has_ended(id, &status) else { return false }
        exitStatus = status
        return true
    }

    var exitCode: Int32? { exitStatus.map { clinux_exit_code($0) } }

    /// All it has written so far.
    var output: String { ProcFile.text(outputPath) }

    /// Asks it to end, waits, and kills it if it does not.
    func stop(signal: Int32 = SIGTERM, atMost limit: Double = 15) {
        if hasEnded { return }
        kill(id, signal)
        if MonotonicClock.wait(atMost: limit, until: { hasEnded }) { return }
        kill(id, SIGKILL)
        _ = MonotonicClock.wait(atMost: 5, until: { hasEnded })
    }

    /// Waits for its own end.
    func wait(atMost limit: Double) throws(BenchmarkError) {
        guard MonotonicClock.wait(atMost: limit, until: { hasEnded }) else {
            stop(signal: SIGKILL)
            throw BenchmarkError("process \(id) took longer than \(Int(limit)) s: \(lastLines)")
        }
        guard exitCode == 0 else { throw BenchmarkError("process \(id) ended with \(exitCode ?? -1): \(lastLines)") }
    }

    /// Waits until `find` sees what it wants in the output.
    func waitForOutput<Value>(atMost limit: Double, _ what: String, find: (String) -> Value?) throws(BenchmarkError) -> Value {
        var found: Value?
        let isThere = MonotonicClock.wait(atMost: limit) {
            found = find(output)
            return found != nil || hasEnded
        }
        if let found { return found }
        let reason = isThere ? "it ended with \(exitCode ?? -1)" : "not within \(Int(limit)) s"
        throw BenchmarkError("\(what): \(reason); its last words: \(lastLines)")
    }

    /// Waits for the line `port N`, with which a server of ours says that it serves.
    func port(atMost limit: Double) throws(BenchmarkError) -> UInt16 {
        try waitForOutput(atMost: limit, "a server does not start") { output in
            guard output.hasSuffix("\n") else { return nil }
            return output.split(whereSeparator: { $0 == " " || $0 == "\n" }).last.flatMap { UInt16($0) }
        }
    }

    private var lastLines: String {
        output.split(separator: "\n").suffix(5).joined(separator: "\n")
    }

    /// Memory of its own plus its share of what it shares, in bytes; with its children's.
    var memoryBytes: Int {
        let family = [id] + children
        return family.reduce(0) { $0 + (ProcFile.kibibytes("Pss", of: "/proc/\($1)/smaps_rollup") ?? 0) }
    }

    /// Resident memory, in bytes.
    var residentBytes: Int { ProcFile.kibibytes("VmRSS", of: "/proc/\(id)/status") ?? 0 }

    private var children: [pid_t] {
        ProcFile.text("/proc/\(id)/task/\(id)/children").split(separator: " ").compactMap { pid_t($0) }
    }
}
