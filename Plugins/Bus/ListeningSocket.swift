import Glibc
import Martlet

/// A bound and listening TCP socket.
final class ListeningSocket: Sendable {
    let descriptor: CInt
    /// With the port that the system gave.
    let address: BusAddress

    init(_ wanted: BusAddress) throws(ModuleError) {
        let descriptor = socket(wanted.host.contains(":") ? AF_INET6 : AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Self.failure(wanted, errno) }
        SocketOptions.prepare(descriptor)
        // Connections of an earlier process that wait for their end do not count as a use of the port.
        SocketOptions.set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        let bound = wanted.withSocketAddress { bind(descriptor, $0, $1) }
        guard bound == 0, listen(descriptor, 512) == 0 else {
            let code = errno
            close(descriptor)
            throw Self.failure(wanted, code)
        }
        var named = wanted
        named.port = Self.port(of: descriptor)
        address = named
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    private static func port(of descriptor: CInt) -> UInt16 {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        // Both families keep the port in bytes 2 and 3.
        return withUnsafeBytes(of: &storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
    }

    private static func failure(_ address: BusAddress, _ code: CInt) -> ModuleError {
        let message = "the bus cannot listen on \(address): \(String(cString: strerror(code)))"
        return switch code {
        case EADDRINUSE: .transient("bus.address_in_use", message + "; stop the other process or choose another port in `listen`")
        case EACCES, EPERM, EADDRNOTAVAIL: .blocked("bus.cannot_listen", message + "; choose another address in `listen`")
        default: .transient("bus.cannot_listen", message)
        }
    }
}

/// Options of TCP sockets.
enum SocketOptions {
    static func set(_ descriptor: CInt, _ level: CInt, _ option: CInt, _ value: CInt) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Non-blocking, and not inherited by other programs.
    static func prepare(_ descriptor: CInt) {
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// For a client's connection: no delay, and a peer that vanished without a word is found out within two minutes.
    static func prepareClient(_ descriptor: CInt) {
        prepare(descriptor)
        let tcp = CInt(IPPROTO_TCP)
        set(descriptor, tcp, TCP_NODELAY, 1)
        set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        set(descriptor, tcp, TCP_KEEPIDLE, 60)
        set(descriptor, tcp, TCP_KEEPINTVL, 15)
        set(descriptor, tcp, TCP_KEEPCNT, 4)
    }
}
