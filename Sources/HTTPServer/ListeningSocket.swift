import CEvent

/// Bound and listening TCP sockets.
struct ListeningSocket {
    /// Not owned: whoever takes it closes it.
    let descriptor: Int32
    /// The address with the port that the system gave.
    let address: ListenAddress

    /// Opens `count` sockets on each address of the host, all on one port; the kernel spreads connections over them.
    ///
    /// SO_REUSEPORT lets a second process of the same user bind the same port without an error, so that the port is
    /// bound once without it first.
    static func open(
        _ address: ListenAddress, count: Int, settings: HTTPServerSettings
    ) throws(HTTPServerError) -> [[ListeningSocket]] {
        var opened: [[ListeningSocket]] = []
        do throws(HTTPServerError) {
            var port = address.port
            for target in try resolve(address) {
                if count > 1 && port != 0 {
                    let probe = try bind(target, port: port, named: address, sharesPort: false)
                    CEvent.close(probe)
                }
                var sockets: [ListeningSocket] = []
                defer { opened.append(sockets) }
                for _ in 0..<count {
                    let descriptor = try bind(target, port: port, named: address, sharesPort: count > 1)
                    sockets.append(ListeningSocket(descriptor: descriptor, address: try boundAddress(descriptor, address)))
                    port = sockets[0].address.port
                    try listen(descriptor, named: address, settings)
                }
            }
        } catch {
            for socket in opened.joined() { CEvent.close(socket.descriptor) }
            throw error
        }
        return opened
    }

    /// A socket address of any family, as the system's resolver returns it.
    private struct Target: Equatable {
        let family: Int32
        let bytes: [UInt8]
    }

    private static func resolve(_ address: ListenAddress) throws(HTTPServerError) -> [Target] {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(address.host.isEmpty ? nil : address.host, "\(address.port)", &hints, &list)
        guard code == 0 else {
            throw .unknownHost(address, reason: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(list) }
        var targets: [Target] = []
        var next = list
        while let entry = next {
            let bytes = Array(UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen)))
            let target = Target(family: entry.pointee.ai_family, bytes: bytes)
            if !targets.contains(target) { targets.append(target) }
            next = entry.pointee.ai_next
        }
        // A machine without IPv6 still names it for all interfaces and for localhost.
        let usable = targets.filter { isUsable($0) }
        return usable.isEmpty ? targets : usable
    }

    private static func isUsable(_ target: Target) -> Bool {
        guard target.family == AF_INET6 else { return true }
        let descriptor = cevent_tcp_socket(AF_INET6)
        guard descriptor >= 0 else { return false }
        defer { CEvent.close(descriptor) }
        return bindResult(descriptor, target, port: 0) != EADDRNOTAVAIL || !isLoopback(target)
    }

    private static func isLoopback(_ target: Target) -> Bool {
        target.bytes.count >= 24 && target.bytes[8..<23].allSatisfy { $0 == 0 } && target.bytes[23] == 1
    }

    /// 0 or the errno of bind(2). Both socket address families keep the port in bytes 2 and 3.
    private static func bindResult(_ descriptor: Int32, _ target: Target, port: UInt16) -> Int32 {
        var bytes = target.bytes
        bytes[2] = UInt8(port >> 8)
        bytes[3] = UInt8(port & 0xFF)
        return bytes.withUnsafeBytes { raw in
            guard let start = raw.baseAddress else { return EINVAL }
            return cevent_bind(descriptor, start, socklen_t(raw.count)) == 0 ? 0 : cevent_errno()
        }
    }

    private static func bind(
        _ target: Target, port: UInt16, named address: ListenAddress, sharesPort: Bool
    ) throws(HTTPServerError) -> Int32 {
        let descriptor = cevent_tcp_socket(target.family)
        guard descriptor >= 0 else { throw .system(address, call: "socket", reason: systemErrorText(cevent_errno())) }
        // Connections of an earlier process that wait for their end do not count as a use of the port.
        _ = cevent_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if sharesPort { _ = cevent_set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
        if target.family == AF_INET6 { _ = cevent_set_option(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        let code = bindResult(descriptor, target, port: port)
        guard code != 0 else { return descriptor }
        CEvent.close(descriptor)
        switch code {
        case EADDRINUSE: throw .addressInUse(address)
        case EACCES, EPERM: throw .permissionDenied(address)
        case EADDRNOTAVAIL: throw .addressNotAvailable(address)
        default: throw .system(address, call: "bind", reason: systemErrorText(code))
        }
    }

    /// Options set here are inherited by the accepted connections.
    private static func listen(
        _ descriptor: Int32, named address: ListenAddress, _ settings: HTTPServerSettings
    ) throws(HTTPServerError) {
        let tcp = Int32(IPPROTO_TCP)
        _ = cevent_set_option(descriptor, tcp, TCP_NODELAY, 1)
        // A peer that vanished without a word is found out, on streams that send nothing too.
        _ = cevent_set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        _ = cevent_set_option(descriptor, tcp, TCP_KEEPIDLE, 60)
        _ = cevent_set_option(descriptor, tcp, TCP_KEEPINTVL, 15)
        _ = cevent_set_option(descriptor, tcp, TCP_KEEPCNT, 4)
        // The kernel gives up after this time on bytes that the peer does not acknowledge or has no room for.
        _ = cevent_set_option(descriptor, tcp, TCP_USER_TIMEOUT, Int32(clamping: settings.writeStallTimeout.wholeMilliseconds))
        guard CEvent.listen(descriptor, settings.backlog) == 0 else {
            let code = cevent_errno()
            if code == EADDRINUSE { throw .addressInUse(address) }
            throw .system(address, call: "listen", reason: systemErrorText(code))
        }
    }

    private static func boundAddress(_ descriptor: Int32, _ address: ListenAddress) throws(HTTPServerError) -> ListenAddress {
        var storage = sockaddr_storage()
        guard cevent_local_address(descriptor, &storage) == 0 else { throw .system(address, call: "getsockname", reason: systemErrorText(cevent_errno())) }
        let port = withUnsafeBytes(of: &storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
        return ListenAddress(host: address.host, port: port)
    }
}
