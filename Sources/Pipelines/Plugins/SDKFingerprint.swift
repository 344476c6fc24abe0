import Synchronization

/// Tells one build of the SDK from another: a plugin that was compiled against other declarations would read the host's
/// values at the wrong places.
///
/// It is a hash of the names and sizes of the SDK's symbols in the executable, in the order of their addresses: another
/// stored property, another requirement of a protocol, another order of either, and another compiler all change it. A
/// change elsewhere in the host does not.
package enum SDKFingerprint {
    private static let executable = "/proc/self/exe"
    /// Symbols of the module `Martlet`, by Swift's mangling.
    private static let prefix = [UInt8]("$s7Martlet".utf8)
    private static let cached = Mutex<String?>(nil)

    /// The Swift compiler that this host was built with, as far as the source can tell.
    package static var compiler: String {
        #if compiler(>=7.0)
        "7"
        #elseif compiler(>=6.5)
        "6.5"
        #elseif compiler(>=6.4)
        "6.4"
        #elseif compiler(>=6.3)
        "6.3"
        #else
        "6.2"
        #endif
    }

    /// The fingerprint of the running executable, 16 hexadecimal digits; nil if it exports no SDK: then nothing can be
    /// loaded into it.
    package static var current: String? {
        if let known = cached.withLock({ $0 }) { return known }
        guard let file = try? ELFFile(path: executable) else { return nil }
        let computed = fingerprint(of: file)
        cached.withLock { $0 = computed }
        return computed
    }

    private static func fingerprint(of file: borrowing ELFFile) -> String? {
        var symbols = file.symbols
        symbols.removeAll { !file.text(at: $0.name).starts(with: prefix) }
        guard !symbols.isEmpty else { return nil }
        symbols.sort { ($0.address, $0.name) < ($1.address, $1.name) }
        // FNV-1a.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for symbol in symbols {
            for byte in file.text(at: symbol.name) { add(byte) }
            withUnsafeBytes(of: symbol.size.littleEndian) { for byte in $0 { add(byte) } }
        }
        let text = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
