package import Glibc
import Synchronization

/// Names of hosts that lead where a test says, each look-up to the next place. It stands in front of the C library's
/// resolver for the whole test process: all other names are resolved as ever.
package enum ScriptedNames {
    private static let answers = Mutex<[String: [[String]]]>([:])

    /// - Parameters:
    ///   - name: a host's name that nobody else uses.
    ///   - answers: the IPv4 addresses of each look-up; the last ones are repeated.
    package static func resolve(_ name: String, to answers: [[String]]) {
        self.answers.withLock { $0[name] = answers }
    }

    fileprivate static func next(_ name: String) -> [String]? {
        answers.withLock { answers in
            guard let left = answers[name], let first = left.first else { return nil }
            if left.count > 1 { answers[name] = Array(left.dropFirst()) }
            return first
        }
    }
}

private typealias Resolver = @convention(c) (
    UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<addrinfo>?, UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
) -> Int32

/// The C library's function, found behind this one. A list that is put together of several of its own is freed by its
/// `freeaddrinfo`, which goes from one to the next.
@_cdecl("getaddrinfo")
package func scriptedGetaddrinfo(
    _ name: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?, _ hints: UnsafePointer<addrinfo>?,
    _ result: UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
) -> Int32 {
    guard let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: -1), "getaddrinfo") else { return EAI_FAIL }
    let resolver = unsafeBitCast(symbol, to: Resolver.self)
    guard let name, let result, let addresses = ScriptedNames.next(String(cString: name)) else {
        return resolver(name, service, hints, result)
    }
    var first: UnsafeMutablePointer<addrinfo>?
    for address in addresses.reversed() {
        var found: UnsafeMutablePointer<addrinfo>?
        let code = resolver(address, service, hints, &found)
        guard code == 0, let found else { return code }
        found.pointee.ai_next = first
        first = found
    }
    result.pointee = first
    return 0
}
