/// The way from the top of the config to a value: `groups.notification-store.topics[0]`.
public struct ConfigPath: Hashable, Sendable, CustomStringConvertible {
    /// One step of a path.
    public enum Component: Hashable, Sendable {
        case key(String)
        case index(Int)
    }

    /// The steps from the top.
    public var components: [Component]

    /// A path of these steps.
    public init(_ components: [Component] = []) {
        self.components = components
    }

    /// The path of the whole config.
    public static let root = ConfigPath()

    /// The path of a member of the object at this path.
    public func appending(_ key: String) -> ConfigPath {
        ConfigPath(components + [.key(key)])
    }

    /// The path of an item, counted from 0, of the list at this path.
    public func appending(_ index: Int) -> ConfigPath {
        ConfigPath(components + [.index(index)])
    }

    /// The last key, which is a module's name in `sinks.NAME`; nil at the top or in a list.
    public var name: String? {
        if case .key(let key)? = components.last { key } else { nil }
    }

    /// Dotted keys and bracketed indexes; a key with a dot or another special character is quoted: `topics["a.b"]`.
    public var description: String {
        var text = ""
        for component in components {
            switch component {
            case .index(let index):
                text += "[\(index)]"
            case .key(let key) where ConfigPath.isSimple(key):
                text += text.isEmpty ? key : ".\(key)"
            case .key(let key):
                text += "[\(JSONWriter.quoted(key))]"
            }
        }
        return text
    }

    /// The path as a JSON Pointer (RFC 6901).
    public var pointer: String {
        var text = ""
        for component in components {
            text += "/"
            switch component {
            case .index(let index):
                text += "\(index)"
            case .key(let key):
                for scalar in key.unicodeScalars {
                    switch scalar {
                    case "~": text += "~0"
                    case "/": text += "~1"
                    default: text.unicodeScalars.append(scalar)
                    }
                }
            }
        }
        return text
    }

    private static func isSimple(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"),
                0x80...:
                true
            default:
                false
            }
        }
    }
}
