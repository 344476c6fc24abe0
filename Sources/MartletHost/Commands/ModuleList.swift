import Martlet

/// The registered modules for people and programs.
struct ModuleList {
    /// One module with its fields.
    struct Entry {
        let kind: ModuleKind
        let name: String
        let summary: String
        let fields: [FieldDescription]
        /// The Swift type.
        let swiftType: String

        var label: String { "\(kind.rawValue)/\(name)" }

        var json: JSONNode {
            .object([
                ("kind", .string(kind.rawValue)), ("type", .string(name)), ("summary", .string(summary)),
                ("fields", .array(fields.map(\.json))),
            ])
        }

        var text: String {
            let header = "\(label): \(summary)\n"
            guard !fields.isEmpty else { return header + "\nIt has no fields beside `type`." }
            let rows = fields.map { field in
                [
                    field.name, field.typeName, field.isRequired ? "required" : field.defaultValue.map { JSONWriter.text($0) } ?? "-",
                    field.range?.text ?? "", field.summary,
                ]
            }
            return header + "\n" + Terminal.table(["FIELD", "TYPE", "DEFAULT", "RANGE", "WHAT IT IS"], rows)
        }
    }

    let entries: [Entry]

    init(_ registry: ModuleRegistry) {
        func entries<Instance>(_ kind: ModuleKind, _ factories: [ModuleFactory<Instance>]) -> [Entry] {
            factories.map { Entry(kind: kind, name: $0.name, summary: $0.summary, fields: $0.fields, swiftType: $0.typeName) }
        }
        self.entries =
            entries(.auth, registry.authenticators) + entries(.source, registry.sources) + entries(.transform, registry.transforms)
            + entries(.sink, registry.sinks) + entries(.channel, registry.channels)
            + entries(.database, registry.databases) + entries(.pubsub, registry.pubSubs) + entries(.log, registry.logs)
    }

    var names: [String] { entries.map(\.label) }

    func find(_ label: String) -> Entry? { entries.first { $0.label == label } }

    var json: JSONNode { .array(entries.map(\.json)) }

    var table: String {
        Terminal.table(["KIND", "TYPE", "WHAT IT DOES"], entries.map { [$0.kind.rawValue, $0.name, $0.summary] })
    }
}
