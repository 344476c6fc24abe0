import Foundation
import Pipelines
import TestSupport
import Testing

/// Libraries that a config names under `plugins`, in the built `martlet`: what is wrong with one is a problem of the
/// config, never a crash.
@Suite(.serialized) struct PluginLoadingTests {
    /// A sink in a folder of its own.
    private static func source(type: String = "Note", name: String = "note", conformance: String = ": Sink") -> String {
        """
        public import Martlet

        public final class \(type)Sink\(conformance) {
            public struct Config: ModuleConfig {
                let prefix: String
                public init(from fields: inout ConfigFields) { prefix = fields.optional("prefix", default: "", "Stands before each key.") }
            }

            public static let name = "\(name)"
            public static let summary = "Logs keys."
            public let hasAtomicBatches = false
            private let logger: Logger
            private let prefix: String
            public init?(config: Config, context: ModuleContext) {
                logger = context.logger
                prefix = config.prefix
            }
            public func open() async throws {}
            public func write(_ batch: [Record]) async throws -> WriteResult {
                for record in batch { logger.info("noted", ("key", prefix + (record.event.key?.string ?? ""))) }
                return .handled
            }
            public func close() async {}
        }
        """
    }

    private func folder(_ source: String, _ name: String = "Note") throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder[name], withIntermediateDirectories: true)
        try folder.write(source, to: "\(name)/Sink.swift")
        return folder
    }

    private func config(_ plugins: String...) -> String {
        """
        {
          "plugins": [\(plugins.map { "\"\($0)\"" }.joined(separator: ", "))],
          "topics": { "items": {} },
          "groups": { "note": { "topics": ["items"], "sink": { "type": "note", "prefix": "key " } } }
        }
        """
    }

    /// What `martlet validate` says of a config with this library.
    private func problems(_ folder: TemporaryFolder, _ plugins: String...) async throws -> String {
        try folder.write("{\"plugins\": [\(plugins.map { "\"\($0)\"" }.joined(separator: ", "))]}", to: "config.json")
        let run = try await CommandRun(["validate"], in: folder)
        #expect(run.code == 78, "\(run.output)\(run.errors)")
        return run.output
    }

    @Test func aBuiltPluginIsLoadedAndRuns() async throws {
        let folder = try folder(Self.source())
        let built = try await CommandRun(["plugin", "build", "Note"], in: folder)
        #expect(built.code == 0, "\(built.errors)")
        #expect(built.output.contains("built build/libNote.so: sink NoteSink"))
        try folder.write(config("build/libNote.so"), to: "config.json")
        #expect(try await CommandRun(["validate"], in: folder).code == 0)
        #expect(try await CommandRun(["modules"], in: folder).output.contains("Logs keys."))
        #expect(try await CommandRun(["modules", "show", "sink/note"], in: folder).output.contains("Stands before each key."))
        #expect(try await CommandRun(["schema"], in: folder).output.contains("sink.note"))
        let host = try await HostProcess.start(in: folder)
        let produced = try await host.run("produce", "items", "--key-separator", ":", input: "a:{}\n")
        #expect(produced.code == 0, "\(produced.errors)")
        try await eventually("the record at the loaded sink: \(host.log)") { host.log.contains(#""key":"key a""#) ? true : nil }
        #expect(try await host.stop() == 0)
    }

    @Test func aReloadLoadsAPlugin() async throws {
        let folder = try folder(Self.source())
        #expect(try await CommandRun(["plugin", "build", "Note", "--output", "note.so"], in: folder).code == 0)
        let host = try await HostProcess.start(#"{ "topics": { "items": {} } }"#, in: folder)
        try folder.write(config("note.so"), to: "config.json")
        let reload = try await host.run("reload")
        #expect(reload.code == 0, "\(reload.errors)")
        _ = try await host.run("produce", "items", "--key-separator", ":", input: "b:{}\n")
        try await eventually("the record at the loaded sink: \(host.log)") { host.log.contains(#""key":"key b""#) ? true : nil }
        try await host.stop()
    }

    // MARK: What cannot be loaded

    @Test func aFileThatIsNotThere() async throws {
        let text = try await problems(try TemporaryFolder(), "build/libNone.so")
        #expect(text.contains("config.json:1:14: plugins[0]: the plugin cannot be read: No such file or directory, found `build/libNone.so`"), "\(text)")
    }

    @Test(arguments: ["", "not a library", String(repeating: "x", count: 200)]) func aFileThatIsNoLibrary(_ content: String) async throws {
        let folder = try TemporaryFolder()
        try folder.write(content, to: "lib.so")
        #expect(try await problems(folder, "lib.so").contains("this file is no shared library"))
    }

    @Test func aSystemLibraryHasNoEntryPoint() async throws {
        let folder = try TemporaryFolder()
        let library = try #require(["/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6"].first { FileManager.default.fileExists(atPath: $0) })
        #expect(try await problems(folder, library).contains("no Martlet entry point"))
    }

    /// A library of the right kind, changed byte by byte.
    @Test func whatDoesNotFitIsToldApart() async throws {
        let folder = try folder(Self.source())
        #expect(try await CommandRun(["plugin", "build", "Note", "--output", "good.so"], in: folder).code == 0)
        let good = try Data(contentsOf: URL(fileURLWithPath: folder["good.so"]))
        func changed(_ name: String, _ change: (inout Data) throws -> Void) throws -> String {
            var bytes = good
            try change(&bytes)
            try bytes.write(to: URL(fileURLWithPath: folder[name]))
            return name
        }
        func label(_ bytes: Data) throws -> Range<Data.Index> { try #require(bytes.range(of: Data(PluginLabel.magic.utf8))) }

        let machine = try changed("machine.so") { $0[18] = 0x28 }
        #expect(try await problems(folder, machine).contains("the plugin is built for machine 40, and this host runs on "))
        let executable = try changed("executable.so") { $0[16] = 2 }
        #expect(try await problems(folder, executable).contains("this file is no shared library"))
        let unlabelled = try changed("unlabelled.so") { $0[try label($0).lowerBound] = 0x20 }
        #expect(try await problems(folder, unlabelled).contains("no Martlet entry point"))
        let sdk = try changed("sdk.so") { bytes in
            bytes.replaceSubrange(try label(bytes).upperBound..<(try label(bytes).upperBound + 16), with: Data("0123456789abcdef".utf8))
        }
        #expect(try await problems(folder, sdk).contains("compiled against another SDK (0123456789abcdef) than this host has ("))
        let compiler = try changed("compiler.so") { bytes in
            let version = try #require(bytes.range(of: Data("Swift version 6".utf8), in: try label(bytes).upperBound..<bytes.endIndex))
            bytes[version.upperBound - 1] = 0x35
        }
        #expect(try await problems(folder, compiler).contains("the plugin was compiled by "))
        // The label is right and the symbol is not: the same bytes under another name.
        let entry = try changed("entry.so") { bytes in
            let symbol = Data(PluginLoader.entrySymbol.utf8)
            while let place = bytes.range(of: symbol) { bytes[place.lowerBound] = 0x4D }
        }
        #expect(try await problems(folder, entry).contains("no Martlet entry point"))
        for length in [64, 1_000, good.count / 2, good.count - 100] {
            let cut = try changed("cut.so") { $0 = $0.prefix(length) }
            _ = try await problems(folder, cut)
        }
    }

    @Test func aNameThatIsTakenIsAProblem() async throws {
        let folder = try folder(Self.source(name: "console"))
        #expect(try await CommandRun(["plugin", "build", "Note"], in: folder).code == 0)
        let text = try await problems(folder, "build/libNote.so")
        #expect(text.contains("sink `console` is registered twice, by ConsoleSink and NoteSink; rename one"), "\(text)")
        #expect(try await problems(folder, "build/libNote.so", "build/libNote.so").contains("registered twice"))
    }

    @Test func aReservedFieldIsAProblem() async throws {
        let folder = try folder(Self.source().split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.contains("\"prefix\"") ? $0.replacingOccurrences(of: "\"prefix\"", with: "\"type\"") : String($0)
        }.joined(separator: "\n"))
        #expect(try await CommandRun(["plugin", "build", "Note"], in: folder).code == 0)
        #expect(try await problems(folder, "build/libNote.so").contains("has a field `type`, which the platform reads itself"))
    }

    @Test func whatDoesNotCompileSaysWhere() async throws {
        let folder = try folder(Self.source() + "\nlet wrong: Int = \"text\"\n")
        let run = try await CommandRun(["plugin", "build", "Note"], in: folder)
        #expect(run.code == 1)
        #expect(run.errors.contains("Note does not compile:") && run.errors.contains("Sink.swift:25"), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder["build/libNote.so"]))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder["build"]).isEmpty)
    }

    @Test func whatCannotBeBuiltIsSaid() async throws {
        let folder = try folder(Self.source())
        let sdk = try await CommandRun(["plugin", "build", "Note", "--sdk", "nowhere"], in: folder)
        #expect(sdk.code == 1 && sdk.errors.contains("no SDK: expected Martlet.swiftmodule in nowhere"), "\(sdk.errors)")
        let compiler = try await CommandRun(["plugin", "build", "Note"], in: folder, environment: ["PATH": "/nowhere"])
        #expect(compiler.code == 1 && compiler.errors.contains("there is no Swift compiler: `swiftc` is not in PATH"), "\(compiler.errors)")
        try FileManager.default.createDirectory(atPath: folder["old"], withIntermediateDirectories: true)
        try folder.write("#!/bin/sh\necho 'Swift version 5.9.2 (swift-5.9.2-RELEASE)'\n", to: "old/swiftc")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder["old/swiftc"])
        let old = try await CommandRun(["plugin", "build", "Note"], in: folder, environment: ["PATH": folder["old"] + ":/usr/bin:/bin"])
        #expect(
            old.code == 1 && old.errors.contains("swiftc is Swift version 5.9.2") && old.errors.contains("put that one first in PATH"), "\(old.errors)")
        let empty = try await CommandRun(["plugin", "build", "."], in: try TemporaryFolder())
        #expect(empty.code == 1 && empty.errors.contains("there is no Swift file in ."), "\(empty.errors)")
    }
}
