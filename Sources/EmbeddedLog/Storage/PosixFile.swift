import Glibc

/// A file descriptor, closed on release.
final class PosixFile: LogFile {
    let descriptor: Int32
    private let path: String

    init(_ descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    func size() throws(LogError) -> Int64 {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw .system("ask for the size", path: path, errno: errno) }
        return Int64(status.st_size)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(LogError) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, base + done, buffer.count - done, off_t(position) + done)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("read \(buffer.count) bytes at \(position)", path: path, errno: errno)
            }
            done += count
        }
        return done
    }

    func write(_ buffers: [UnsafeRawBufferPointer], at position: Int64) throws(LogError) {
        var vectors = buffers.map { iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count) }
        var first = 0
        var place = position
        while first < vectors.count {
            let count = vectors.withUnsafeBufferPointer { all in
                pwritev(descriptor, all.baseAddress! + first, Int32(min(all.count - first, 1024)), off_t(place))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("write at \(place)", path: path, errno: errno)
            }
            place += Int64(count)
            var left = count
            while first < vectors.count, left >= vectors[first].iov_len {
                left -= vectors[first].iov_len
                first += 1
            }
            if left > 0 {
                vectors[first].iov_base += left
                vectors[first].iov_len -= left
            }
        }
    }

    func sync() throws(LogError) {
        if fdatasync(descriptor) != 0 { throw .system("sync the file", path: path, errno: errno) }
    }

    func truncate(to size: Int64) throws(LogError) {
        if ftruncate(descriptor, off_t(size)) != 0 { throw .system("cut the file to \(size) bytes", path: path, errno: errno) }
    }
}
