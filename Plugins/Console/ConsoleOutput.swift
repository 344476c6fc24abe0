import Dispatch
import Glibc
import Martlet

/// Writes to a descriptor on a queue of its own, since a pipe that nobody reads blocks.
struct ConsoleOutput: Sendable {
    let descriptor: Int32
    private let queue = DispatchQueue(label: "martlet.console")

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Returns when the descriptor has taken all of it. Throws a blocked error if it cannot.
    func write(_ text: [UInt8]) async throws {
        let failure = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Self.writeAll(text, to: descriptor)) }
        }
        guard let failure else { return }
        throw ModuleError.blocked(
            "console.closed",
            "standard output does not take what is written (\(String(cString: strerror(failure)))); "
                + "start the host with an open standard output, or remove the console sink")
    }

    /// The error number, or nil.
    private static func writeAll(_ text: [UInt8], to descriptor: Int32) -> Int32? {
        text.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
                if count >= 0 {
                    written += count
                } else if errno == EAGAIN {
                    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&entry, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return nil
        }
    }
}
