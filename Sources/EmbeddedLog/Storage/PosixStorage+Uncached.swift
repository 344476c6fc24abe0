internal import CLinux

extension PosixStorage {
    package func openUncached(_ path: String, create: Bool) throws(LogError) -> any LogFile {
        let descriptor = clinux_open_uncached(path, create)
        // Not every file system has it; what else is wrong is told by the second attempt.
        return descriptor < 0 ? try open(path, create: create) : PosixFile(descriptor, path: path)
    }
}
