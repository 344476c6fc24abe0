/// What a plugin's library says of itself, in a text that can be found in the file without running any of its code:
/// `MARTLET-PLUGIN 1`, the SDK's fingerprint, the compiler and the name, each on a line of its own, up to a zero byte.
package struct PluginLabel: Sendable, Equatable {
    /// Begins the text. Written in two parts, so that it does not stand in this executable.
    package static let magic = "MARTLET-" + "PLUGIN 1\n"

    package let fingerprint: String
    /// `Swift version 6.3.1 (…)`, the first line of `swiftc --version`.
    package let compiler: String
    package let name: String

    package init(fingerprint: String, compiler: String, name: String) {
        self.fingerprint = fingerprint
        self.compiler = compiler
        self.name = name
    }

    /// The text, without the zero byte at its end.
    package var text: String { Self.magic + "\(fingerprint)\n\(compiler)\n\(name)\n" }

    /// Finds the label in a library.
    static func find(in file: borrowing ELFFile) -> PluginLabel? {
        let magic = [UInt8](magic.utf8)
        var start = 0
        while let place = file.bytes[start...].firstIndex(of: magic[0]) {
            if file.bytes[place...].starts(with: magic) {
                let lines = String(decoding: file.text(at: place), as: UTF8.self).split(separator: "\n").map(String.init)
                if lines.count == 4 { return PluginLabel(fingerprint: lines[1], compiler: lines[2], name: lines[3]) }
            }
            start = place + 1
        }
        return nil
    }
}
