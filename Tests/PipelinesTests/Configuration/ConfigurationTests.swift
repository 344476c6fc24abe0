import Foundation
import Martlet
import Pipelines
import TestSupport
import Testing

@testable import MartletHost

/// What `martlet validate` says of a config file.
struct ConfigurationTests {
    /// The report on a config, with the file's name as if the command had run in its folder; nil if it is good.
    private func report(on text: String) throws -> String? {
        let folder = try TemporaryFolder()
        try text.write(toFile: folder.path + "/config.json", atomically: true, encoding: .utf8)
        let (host, problems) = Host.make(
            configPath: folder.path + "/config.json", overrides: [], registry: try StandardModules.registry(), logger: .silent)
        #expect((host == nil) == !problems.isEmpty)
        #expect(FileManager.default.contentsOfDirectory(folder.path) == ["config.json"], "validation left something behind")
        return problems.isEmpty ? nil : problems.text.replacingOccurrences(of: folder.path + "/", with: "")
    }

    @Test func theConfigWithoutMistakesIsGood() throws {
        #expect(try report(on: ConfigFixture.good) == nil)
    }

    @Test(arguments: ConfigFixture.shape)
    func aMistakeInShapeIsReportedInFull(_ fixture: ConfigFixture) throws {
        #expect(try report(on: fixture.text) == fixture.report)
    }

    @Test(arguments: ConfigFixture.references)
    func aMistakeBetweenBlocksIsReportedInFull(_ fixture: ConfigFixture) throws {
        #expect(try report(on: fixture.text) == fixture.report)
    }

    @Test(arguments: ConfigFixture.access)
    func aMistakeAboutCallersIsReportedInFull(_ fixture: ConfigFixture) throws {
        #expect(try report(on: fixture.text) == fixture.report)
    }

    @Test(arguments: ConfigFixture.languages)
    func aMistakeInAnEmbeddedLanguageIsReportedInFull(_ fixture: ConfigFixture) throws {
        #expect(try report(on: fixture.text) == fixture.report)
    }

    /// One event can be a dead letter of several groups: only its topic keeps it once.
    @Test func deadLettersAreKeptWhateverTheirIDs() throws {
        let folder = try TemporaryFolder()
        let text = ConfigFixture.good.replacingOccurrences(
            of: #""partitions": 4"#, with: #""partitions": 4, "compression": "zstd", "deduplicate": {}"#)
        try text.write(toFile: folder.path + "/config.json", atomically: true, encoding: .utf8)
        let host = try #require(
            Host.make(
                configPath: folder.path + "/config.json", overrides: [], registry: try StandardModules.registry(), logger: .silent).0)
        let topics = Dictionary(uniqueKeysWithValues: host.graph.topics.map { ($0.name, $0.settings) })
        #expect(topics["likes"]?.deduplication == .init(windowEvents: 100_000, windowMilliseconds: 3_600_000))
        #expect(topics["likes"]?.compression == .zstd)
        #expect(topics["likes.dead-letters"]?.deduplication == nil && topics["likes.dead-letters"]?.compression == .zstd)
    }

    @Test func theShippedConfigIsGood() throws {
        #expect(try report(on: Documents.text("config.json")) == nil)
    }

    @Test func eachConfigOfTheReadmeIsGood() throws {
        for block in try Documents.jsonBlocks(of: "README.md") {
            guard let object = Documents.object(block) else {
                Issue.record("no JSON object: \(block)")
                continue
            }
            guard Set(object.keys).isSubset(of: Documents.blockNames) else { continue }
            let config = try Documents.merged(object)
            #expect(try report(on: config) == nil, "\(block)")
        }
    }

    @Test func eachConfigOfAPluginsReadmeIsGood() throws {
        let plugins = FileManager.default.contentsOfDirectory(Documents.root.appendingPathComponent("Plugins").path)
        #expect(!plugins.isEmpty)
        let registry = try StandardModules.registry()
        for plugin in plugins {
            for block in try Documents.jsonBlocks(of: "Plugins/\(plugin)/README.md") {
                let object = try #require(Documents.object(block), "\(plugin): no JSON object: \(block)")
                let configs = try Documents.configs(with: object, registry)
                #expect(!configs.isEmpty, "\(plugin): no module is of this type: \(block)")
                // A name may stand for modules of several kinds; the block is an example of one.
                let reports = try configs.map { try report(on: $0) }
                #expect(reports.contains(nil), "\(plugin): \(reports.compactMap { $0 }.joined(separator: "\n"))")
            }
        }
    }
}
