import Martlet

/// A plugin's name, and the names that follow from it.
struct PluginName {
    private static let lengthMax = 40

    /// `ChatAlert`: the folder under `Plugins`.
    let text: String

    /// - Throws: what a name must look like, with one that would do.
    init(_ text: String) throws(UsageError) {
        let isGood = text.utf8.count <= Self.lengthMax && text.first?.isASCII == true && text.first?.isUppercase == true
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
        guard isGood else {
            let words = text.split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
            let camel = String(words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined().drop { $0.isNumber }.prefix(Self.lengthMax))
            let guess = camel.isEmpty ? "" : "; did you mean \(camel)?"
            throw UsageError(
                "a plugin's name is 1 to \(Self.lengthMax) letters and digits and begins with a capital, such as ChatAlert, found `\(text)`\(guess)")
        }
        self.text = text
    }

    /// `ChatAlertPlugin`: the target and the Swift module.
    var target: String { text + "Plugin" }

    /// `chat_alert`: the `type` in a config.
    var type: String {
        var type = ""
        var previous: Character?
        let letters = Array(text)
        for (index, letter) in letters.enumerated() {
            let next = index + 1 < letters.count ? letters[index + 1] : nil
            let beginsWord = letter.isUppercase && (previous?.isLowercase == true || previous?.isNumber == true || next?.isLowercase == true)
            if index > 0, beginsWord { type += "_" }
            type += letter.lowercased()
            previous = letter
        }
        return type
    }

    /// `ChatAlertSink`: the module's Swift type. A name that says the kind already says it once.
    func typeName(_ kind: ModuleKind) -> String {
        text.hasSuffix(Self.suffix(kind)) ? text : text + Self.suffix(kind)
    }

    /// What the type's name ends with.
    static func suffix(_ kind: ModuleKind) -> String {
        switch kind {
        case .pubsub: "Bus"
        case .auth: "Authenticator"
        default: kind.rawValue.prefix(1).uppercased() + kind.rawValue.dropFirst()
        }
    }

    /// Names that a new type would hide.
    private static let taken: Set<String> = ["EventSource", "DeliveryChannel", "TransactionalSink", "PositionedSink"]

    /// - Throws: if the kind's registered modules, or the SDK, have the name already.
    func checkIsFree(_ kind: ModuleKind, among modules: ModuleList) throws(PluginError) {
        if let existing = modules.find("\(kind.rawValue)/\(type)") {
            throw PluginError("the \(kind.rawValue) `\(type)` exists already (\(existing.summary)); choose another name")
        }
        let typeName = typeName(kind)
        if Self.taken.contains(typeName) || modules.entries.contains(where: { $0.swiftType == typeName }) {
            throw PluginError("`\(typeName)` would have the name of a type that exists already; choose another name")
        }
    }
}
