import Glibc

/// Where the SDK is that plugins are compiled against: the Swift module that was made with this executable.
struct SDKLocation {
    private static let module = "Martlet.swiftmodule"

    /// The folder of the module.
    let folder: String

    /// - Parameter given: the folder that the user named; nil to look beside the executable.
    /// - Throws: where it was looked for, and what to do.
    init(_ given: String?) throws(PluginError) {
        let executable = Self.executable
        let base = executable.lastIndex(of: "/").map { String(executable[..<$0]) } ?? "."
        let candidates = given.map { [$0] } ?? ["\(base)/Modules", "\(base)/../lib/martlet/Modules"]
        guard let found = candidates.first(where: { FileTree.exists("\($0)/\(Self.module)") }) else {
            throw PluginError(
                "no SDK: expected \(Self.module) in \(candidates.joined(separator: " or ")); "
                    + "use the martlet of a build folder, or name the folder with --sdk")
        }
        folder = found
        // In a build folder the module may be newer than the executable: built alone, without linking.
        let isBuildFolder = FileTree.isFolder("\(base)/Martlet.build")
        if isBuildFolder, let module = FileTree.modified("\(found)/\(Self.module)"), let own = FileTree.modified(executable), module > own {
            throw PluginError("\(found)/\(Self.module) is newer than \(executable), so they do not belong together; run `swift build` to the end")
        }
    }

    /// The running executable.
    static var executable: String {
        guard let path = realpath("/proc/self/exe", nil) else { return "/proc/self/exe" }
        defer { free(path) }
        return String(cString: path)
    }
}
