import Foundation
import Martlet
import TestSupport
import Testing

@testable import MartletHost

/// The configs that users see, against the schema that editors get, by PyPI's `jsonschema`.
@Suite struct SchemaTests {
    private static let script = """
        import json, sys
        from jsonschema import Draft202012Validator
        schema = json.load(open(sys.argv[1]))
        Draft202012Validator.check_schema(schema)
        validator = Draft202012Validator(schema)
        for line in open(sys.argv[2]):
            entry = json.loads(line)
            errors = [e.json_path + ": " + e.message[:200] for e in validator.iter_errors(entry["config"])]
            print(json.dumps({"name": entry["name"], "errors": errors}))
        """

    /// The errors of each config that has any, by its name.
    private func errors(_ configs: [(name: String, json: String)], _ registry: ModuleRegistry? = nil) throws -> [String: [String]] {
        let folder = try TemporaryFolder()
        let schema = ConfigReference(try registry ?? StandardModules.registry()).schema
        try JSONWriter.text(schema).write(toFile: folder.path + "/schema.json", atomically: true, encoding: .utf8)
        let texts = try configs.map { config in
            let object = try JSONSerialization.jsonObject(with: Data(config.json.utf8))
            return String(decoding: try JSONSerialization.data(withJSONObject: ["name": config.name, "config": object]), as: UTF8.self)
        }
        try texts.joined(separator: "\n").write(toFile: folder.path + "/configs", atomically: true, encoding: .utf8)
        let lines = try Python.run(Self.script, [folder.path + "/schema.json", folder.path + "/configs"])
        var found: [String: [String]] = [:]
        for line in lines {
            let entry = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let name = try #require(entry["name"] as? String)
            if let errors = entry["errors"] as? [String], !errors.isEmpty { found[name, default: []] += errors }
        }
        return found
    }

    @Test func theShippedConfigsMeetTheSchema() throws {
        var configs = [("config.json", try Documents.text("config.json"))]
        let folder = "Sources/Pipelines/Pipelines.docc/several-hosts"
        for name in FileManager.default.contentsOfDirectory(Documents.root.appendingPathComponent(folder).path) where name.hasSuffix(".json") {
            configs.append((name, try Documents.text(folder + "/" + name)))
        }
        #expect(configs.count > 2)
        for page in ["README.md", "Sources/Pipelines/Pipelines.docc/SeveralHosts.md", "Sources/Pipelines/Pipelines.docc/ExchangingTheDatabase.md"] {
            for block in try Documents.jsonBlocks(of: page) {
                guard let object = Documents.object(block), Set(object.keys).isSubset(of: Documents.blockNames) else { continue }
                configs.append((page, try Documents.merged(object)))
            }
        }
        #expect(try errors(configs) == [:])
    }

    @Test func theExamplesOfThePluginsMeetTheSchema() throws {
        let registry = try StandardModules.registry()
        for plugin in FileManager.default.contentsOfDirectory(Documents.root.appendingPathComponent("Plugins").path) {
            for (number, block) in try Documents.jsonBlocks(of: "Plugins/\(plugin)/README.md").enumerated() {
                let object = try #require(Documents.object(block))
                let configs = try Documents.configs(with: object, registry).enumerated().map { ("\(plugin) \(number) \($0.offset)", $0.element) }
                let found = try errors(configs)
                // A name may stand for modules of several kinds; the block is an example of one.
                #expect(found.count < configs.count, "\(found)")
            }
        }
    }

    /// The block `log` holds an engine's fields or a module's.
    @Test func aLogThatIsAModuleHasItsOwnFields() throws {
        var registry = try StandardModules.registry()
        try registry.register(log: MemorySharedLog.self)
        func config(_ log: String) -> String { "{ \"log\": \(log) }" }
        let good = [
            #"{ "type": "memory_shared", "cluster": "one", "description": "shared" }"#, #"{ "acknowledge": "written" }"#, #"{ "type": "embedded" }"#,
            #"{ "type": "remote", "url": "http://10.0.0.1:8081" }"#, #"{ "type": "${env:LOG:-embedded}" }"#,
        ]
        #expect(try errors(good.map { ($0, config($0)) }, registry) == [:])
        let bad = [
            #"{ "type": "memory_shared", "cluster": "one", "acknowledge": "fsync" }"#, #"{ "type": "memory_shared" }"#,
            #"{ "cluster": "one" }"#, #"{ "type": "memory_shard", "cluster": "one" }"#,
        ]
        #expect(Set(try errors(bad.map { ($0, config($0)) }, registry).keys) == Set(bad))
    }

    @Test func theSchemaFindsMistakes() throws {
        let config = try Documents.text("config.json")
        let mistakes = [
            ("unknown key", config.replacingOccurrences(of: "\"partitions\"", with: "\"partitoins\"")),
            ("unknown type", config.replacingOccurrences(of: "\"type\": \"sqlite\"", with: "\"type\": \"sqlight\"")),
            ("range", config.replacingOccurrences(of: "\"partitions\": 4", with: "\"partitions\": 0")),
        ]
        #expect(mistakes.allSatisfy { $0.1 != config })
        #expect(Set(try errors(mistakes).keys) == ["unknown key", "unknown type", "range"])
    }
}
