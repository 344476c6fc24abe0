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

    /// When this fails, write the page anew, as `WritingAPlugin.md` says.
    @Test func thePageIsUpToDate() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("Sources/Pipelines/Pipelines.docc/ConfigReference.md"), encoding: .utf8)
        #expect(try page == reference().markdown + "\n")
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
