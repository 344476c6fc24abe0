import Foundation
import Martlet
import TestSupport
import Testing

@testable import MartletHost

/// `martlet plugin new` and `remove`. What is generated is type-checked; its contract tests were run when it was written.
@Suite(.serialized) struct ScaffoldTests {
    @Test(arguments: PluginScaffold.kinds) func everyKindCompilesAndLeavesNoTrace(_ kind: ModuleKind) async throws {
        let package = try PluginFolder()
        let before = try package.snapshot()
        let made = try await package.plugin("new", "ChatAlert", "--kind", kind.rawValue)
        #expect(made.code == 0, "\(made.errors)")
        #expect(made.output.contains(#""type": "chat_alert""#))

        let type = try PluginName("ChatAlert").typeName(kind)
        let (module, test) = ("Plugins/ChatAlert/\(type).swift", "Tests/PluginTests/ChatAlert/\(type)Tests.swift")
        let files = try package.snapshot()
        #expect(Set(files.keys).subtracting(before.keys) == [module, "Plugins/ChatAlert/README.md", test])
        #expect(files.values.allSatisfy { !$0.contains("__NAME__") && !$0.contains("__TYPE__") })
        #expect(files["Package.swift"]?.contains("\n    (\"Bus\", []),\n    (\"ChatAlert\", []),\n    (\"Console\", []),\n") == true)
        #expect(files[PluginFolder.lists[1]]?.contains("import BusPlugin\nimport ChatAlertPlugin\nimport ConsolePlugin\n") == true)
        #expect(files[PluginFolder.lists[1]]?.contains(": \(type).self)\n        return registry\n") == true)

        let folder = package.folder
        let compiled = try await Compiler.emitModule("ChatAlertPlugin", of: [folder[module]], into: folder.path)
        #expect(compiled.code == 0, "\(compiled.output)")
        let helpers = ["\(Compiler.package)/Tests/PluginTests/ReadmeExample.swift"]
        let checked = try await Compiler.checkTests([folder[test]] + helpers, modules: folder.path)
        #expect(checked.code == 0, "\(checked.output)")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasPrefix("ChatAlertPlugin.") {
            try FileManager.default.removeItem(atPath: folder[name])
        }

        let removed = try await package.plugin("remove", "ChatAlert")
        #expect(removed.code == 0, "\(removed.errors)")
        #expect(try package.snapshot() == before)
    }

    @Test func whatWasChangedIsNotRemovedWithoutForce() async throws {
        let package = try PluginFolder()
        let before = try package.snapshot()
        _ = try await package.plugin("new", "Audit", "--kind", "sink")
        let file = "Plugins/Audit/AuditSink.swift"
        try package.folder.write(package.folder.read(file) + "// mine\n", to: file)
        let refused = try await package.plugin("remove", "Audit")
        #expect(refused.code == 1)
        #expect(refused.errors.contains("would be lost") && refused.errors.contains("--force"), "\(refused.errors)")
        #expect(package.folder.read(file).hasSuffix("// mine\n"))
        #expect(try await package.plugin("remove", "Audit", "--force").code == 0)
        #expect(try package.snapshot() == before)
    }

    static let mistakes: [([String], Int32, String)] = [
        (["new", "chat-alert", "--kind", "sink"], 2, "begins with a capital, such as ChatAlert, found `chat-alert`; did you mean ChatAlert?"),
        (["new", "Übel", "--kind", "sink"], 2, "found `Übel`"),
        (["new", "Chat", "--kind", "sinc"], 2, "--kind must be one of source, transform, sink, channel, database, pubsub, auth, found sinc; did you mean sink?"),
        (["new", "Chat", "--kind", "log"], 2, "`plugin new` makes no log; conform a type to `SharedLog`"),
        (["new", "Chat"], 2, "say which kind: --kind source, transform, sink, channel, database, pubsub, auth"),
        (["new", "Table", "--kind", "sink"], 1, "the sink `table` exists already"),
        (["new", "SSE", "--kind", "channel"], 1, "the channel `sse` exists already"),
        (["new", "Bus", "--kind", "sink"], 1, "Package.swift lists a plugin Bus already"),
        (["new", "Event", "--kind", "source"], 1, "`EventSource` would have the name of a type that exists already"),
        (["new", "Memory", "--kind", "pubsub"], 1, "the pubsub `memory` exists already"),
        (["new", "Chat", "--kind", "sink", "--package", "/tmp"], 1, "/tmp is no checkout of Martlet: expected Package.swift with the list of plugins"),
        (["new", "Chat", "--kind", "sink", "--force"], 2, "--force goes with `remove`"),
        (["remove", "Consol"], 1, "there is no plugin Consol; did you mean Console?"),
        (["remove"], 2, "expected `new NAME --kind KIND`, `remove NAME` or `build DIR`, found `remove`"),
        (["build", "nowhere"], 1, "nowhere is no folder"),
        (["build", "Sources"], 1, "no module in Sources: expected a type such as `public final class SourcesSink: Sink`"),
    ]

    @Test(arguments: mistakes) func aMistakeIsAnsweredAndChangesNothing(_ arguments: [String], _ code: Int32, _ text: String) async throws {
        let package = try PluginFolder()
        let before = try package.snapshot()
        let run = try await CommandRun(["plugin"] + arguments, in: package.folder)
        #expect(run.code == code)
        #expect(run.errors.contains(text), "\(run.errors)")
        #expect(try package.snapshot() == before)
    }

    @Test func namesFollowFromOne() throws {
        for (name, type) in [("Audit", "audit"), ("ChatAlert", "chat_alert"), ("HTTPPoll", "http_poll"), ("S3", "s3"), ("MyS3Sink", "my_s3_sink")] {
            #expect(try PluginName(name).type == type)
        }
        #expect(try PluginName("ChatSink").typeName(.sink) == "ChatSink")
        #expect(try PluginName("Chat").typeName(.pubsub) == "ChatBus")
    }

    @Test func modulesAreFoundByTheirProtocols() {
        let text = """
            public import Martlet
            /// public struct Comment: Sink {
            public final class One: Sink, RouteProviding {
                struct Inner: Sink {}
            }
            struct Two:
                Sendable, EventSource
            {
            }
            package actor Three<Value: Sendable>: PubSub {
            private struct Helper: Sendable {}
            extension One: Transform {}
            """
        #expect(ModuleScan.types(inText: text).map { "\($0.kind) \($0.name)" } == ["sink One", "source Two"])
    }
}
