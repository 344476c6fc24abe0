import Martlet

/// Finds the modules of a plugin in its Swift files: types declared at the left margin that name a module protocol.
struct ModuleScan {
    /// A type that is a module.
    struct ModuleType: Equatable {
        let name: String
        let kind: ModuleKind
    }

    private static let protocols: [String: ModuleKind] = [
        "EventSource": .source, "Transform": .transform, "Sink": .sink, "TransactionalSink": .sink, "PositionedSink": .sink,
        "DeliveryChannel": .channel, "Database": .database, "PubSub": .pubsub, "Authenticator": .auth,
        "SharedLog": .log,
    ]
    private static let declarations: Set<String> = ["struct", "class", "actor", "enum"]
    private static let modifiers: Set<String> = ["public", "package", "internal", "open", "final"]

    /// The Swift files of a plugin's folder, without those of tests.
    static func files(in folder: String) throws(FileTree.Failure) -> [String] {
        guard FileTree.isFolder(folder) else { return [] }
        return try FileTree.files(in: folder).filter { file in
            file.hasSuffix(".swift") && file != "Package.swift" && !file.hasPrefix("Tests/") && !file.hasPrefix(".")
        }
    }

    /// The modules of a plugin's folder, in the order of the files.
    static func types(in folder: String) throws(FileTree.Failure) -> [ModuleType] {
        var types: [ModuleType] = []
        for file in try files(in: folder) { types += self.types(inText: try FileTree.read("\(folder)/\(file)")) }
        return types
    }

    static func types(inText text: String) -> [ModuleType] {
        var types: [ModuleType] = []
        var head: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if head == nil, begins(line) { head = "" }
            guard let soFar = head else { continue }
            let whole = soFar + line + " "
            guard let brace = whole.firstIndex(of: "{") else {
                head = whole
                continue
            }
            if let type = module(declaredBy: whole[..<brace]) { types.append(type) }
            head = nil
        }
        return types
    }

    private static func begins(_ line: Substring) -> Bool {
        let words = line.split(separator: " ").map(String.init)
        guard line.first?.isWhitespace == false, let word = words.first(where: { !modifiers.contains($0) }) else { return false }
        return declarations.contains(word)
    }

    /// `public final class AuditSink: Sink, Sendable`.
    private static func module(declaredBy head: Substring) -> ModuleType? {
        guard let colon = head.firstIndex(of: ":") else { return nil }
        let words = head[..<colon].split(separator: " ").map(String.init)
        guard let keyword = words.firstIndex(where: declarations.contains), keyword + 1 < words.count,
            // A generic type cannot be registered.
            !words[keyword + 1].contains("<")
        else { return nil }
        let conformances = head[head.index(after: colon)...].split { ", \n".contains($0) }.map(String.init)
        guard let kind = conformances.compactMap({ protocols[$0] }).first else { return nil }
        return ModuleType(name: words[keyword + 1], kind: kind)
    }
}
