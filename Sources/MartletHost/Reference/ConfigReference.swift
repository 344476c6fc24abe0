import Martlet
import Pipelines

/// All that a config can hold, from the declarations of the platform and of the registered modules.
struct ConfigReference {
    let blocks: [FieldDescription]
    let kinds: [ModuleKindDescription]

    init(_ registry: ModuleRegistry) {
        blocks = PipelineConfig.describe()
        func kind<Instance>(
            _ kind: ModuleKind, _ factories: [ModuleFactory<Instance>], shared: [FieldDescription] = []
        ) -> ModuleKindDescription {
            ModuleKindDescription(
                kindName: kind.rawValue, sharedFields: shared,
                modules: factories.map { ModuleDescription(name: $0.name, summary: $0.summary, fields: $0.fields) })
        }
        kinds = [
            kind(.auth, registry.authenticators),
            kind(.source, registry.sources, shared: SourceConfig.describe()),
            kind(.transform, registry.transforms),
            kind(.sink, registry.sinks),
            kind(.channel, registry.channels, shared: ChannelConfig.describe()),
            kind(.database, registry.databases),
            kind(.pubsub, registry.pubSubs),
        ] + (registry.logs.isEmpty ? [] : [kind(.log, registry.logs)])
    }

    /// The JSON Schema (draft 2020-12) of a whole config.
    var schema: JSONNode {
        JSONSchemaBuilder(kinds: kinds).document(title: "Martlet config", fields: blocks)
    }

    /// The reference as Markdown, without the end of its last line; the same declarations give the same bytes.
    var markdown: String {
        var text = """
            # Config reference

            What a `config.json` can hold. Made by `martlet reference` from the declarations that also read and check a config.

            ## Blocks


            """
        for block in blocks {
            text += "### `\(block.name)`\n\n\(block.summary)\n\n"
            let table = FieldTable(block.fields).markdown
            if !table.isEmpty { text += table + "\n" }
        }
        for kind in kinds {
            text += "## Modules: \(kind.kindName)\n\n"
            let shared = FieldTable(kind.sharedFields).markdown
            if !shared.isEmpty { text += "Every \(kind.kindName) also takes:\n\n\(shared)\n" }
            for module in kind.modules {
                text += "### `\(kind.kindName)/\(module.name)`\n\n\(Self.sentence(module.summary))\n\n"
                let table = FieldTable(module.fields).markdown
                text += (table.isEmpty ? "It has no fields beside `type`.\n" : table) + "\n"
            }
        }
        return String(text.dropLast(2))
    }

    /// With a capital letter and a full stop.
    private static func sentence(_ text: String) -> String {
        guard let first = text.first else { return text }
        let capital = first.uppercased() + text.dropFirst()
        return capital.hasSuffix(".") ? capital : capital + "."
    }
}
