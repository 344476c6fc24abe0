import Glibc
import Synchronization

/// Wakes a thread that sits in poll(2). Many calls before it wakes cost one write.
package final class WakePipe: @unchecked Sendable {
    // Unchecked: the descriptors are set once; read and write of a pipe are thread-safe.
    private let writing: CInt
    /// To be polled for reading.
    package let reading: CInt
    private let isSignalled = Atomic<Bool>(false)

    /// - Throws: transient, `host.no_descriptor`, if the process has no descriptors left.
    package init() throws(ModuleError) {
        var ends: [CInt] = [0, 0]
        let isMade = ends.withUnsafeMutableBufferPointer { pipe($0.baseAddress) } == 0
        guard isMade else {
            throw .transient(
                "host.no_descriptor", "cannot make a pipe: \(String(cString: strerror(errno))); raise the limit on open files")
        }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        reading = ends[0]
        writing = ends[1]
    }

    deinit {
        Glibc.close(reading)
        Glibc.close(writing)
    }

    /// Wakes the thread, now or at its next poll.
    package func signal() {
        guard !isSignalled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var byte: UInt8 = 1
        _ = write(writing, &byte, 1)
    }

    /// On the thread, before it looks at what there is to do: later signals wake it again.
    package func clear() {
        var bytes: (UInt64, UInt64) = (0, 0)
        while withUnsafeMutableBytes(of: &bytes, { read(reading, $0.baseAddress, $0.count) }) > 0 {}
        isSignalled.store(false, ordering: .sequentiallyConsistent)
    }
}
