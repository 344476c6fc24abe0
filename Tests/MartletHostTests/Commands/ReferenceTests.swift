import Foundation
import Martlet
import Testing

@testable import MartletHost

@Suite struct ReferenceTests {
    private func reference() throws -> ConfigReference {
        ConfigReference(try StandardModules.registry())
    }

    @Test func theMarkdownNamesEveryBlockAndModule() throws {
        let text = try reference().markdown
        for block in ["host", "log", "databases", "pubsub", "topics", "sources", "groups", "channels", "queries"] {
            #expect(text.contains("### `\(block)`\n"), "\(block)")
        }
        for name in ModuleList(try StandardModules.registry()).names { #expect(text.contains("### `\(name)`\n"), "\(name)") }
        #expect(text.contains("| `*.partitions` |") || text.contains("| `partitions` |"))
        #expect(!text.contains("\n\n\n"))
        #expect(text == (try reference().markdown))
    }

    /// `martlet reference` and the README say the same; when this fails, run `martlet reference --write README.md`.
    @Test func theReadmeHasTheReference() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        let markdown = try reference().markdown
        #expect(readme.contains(markdown.trimmingCharacters(in: .newlines)))
    }

    @Test func theSchemaDefinesEveryModule() throws {
        let text = JSONWriter.text(try reference().schema)
        let schema = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
        let definitions = try #require(schema["$defs"] as? [String: Any])
        for name in ModuleList(try StandardModules.registry()).names {
            #expect(definitions[name.replacingOccurrences(of: "/", with: ".")] != nil, "\(name)")
        }
        let properties = try #require(schema["properties"] as? [String: Any])
        #expect(properties["groups"] != nil && properties["$schema"] != nil)
    }
}
