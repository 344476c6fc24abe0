import Glibc

/// Runs another program and waits for its end.
enum Tool {
    /// What the program left behind.
    struct Result {
        let code: Int32
        /// Standard output and error, as they came.
        let output: String
    }

    /// - Parameters:
    ///   - words: the program, looked up in `PATH`, and its arguments.
    ///   - temporaryFolder: where it puts its temporary files.
    /// - Returns: nil if there is no such program.
    static func run(_ words: [String], temporaryFolder: String) throws(FileTree.Failure) -> Result? {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw FileTree.Failure("make a pipe for", words[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        let arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let variables = variables(temporaryFolder: temporaryFolder)
        defer { for variable in variables { free(variable) } }
        var process = pid_t()
        let code = posix_spawnp(&process, words[0], &actions, nil, arguments, variables)
        close(ends[1])
        if code == ENOENT { return nil }
        guard code == 0 else {
            errno = code
            throw FileTree.Failure("run", words[0])
        }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(ends[0], &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            output += buffer[..<count]
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let ended = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        return Result(code: ended, output: String(decoding: output, as: UTF8.self))
    }

    /// This process's environment but for the folder, to be freed.
    private static func variables(temporaryFolder: String) -> [UnsafeMutablePointer<CChar>?] {
        var variables: [UnsafeMutablePointer<CChar>?] = [strdup("TMPDIR=\(temporaryFolder)")]
        var place = environ
        while let variable = place.pointee {
            if strncmp(variable, "TMPDIR=", 7) != 0 { variables.append(strdup(variable)) }
            place += 1
        }
        return variables + [nil]
    }
}
