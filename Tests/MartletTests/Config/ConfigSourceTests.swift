import Foundation
import Martlet
import Testing

struct ConfigSourceTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-config-\(UUID().uuidString)")

    @Test func fileIsReadAndItsSecretsAreRelativeToIt() throws {
        try withFolder {
            try write("secret", "hunter2\n")
            try write("lines", "a\nb\r\n")
            try write("config.json", #"{"a": "${file:secret}", "b": "<${file:lines}>", "c": "${file:${env:DIR}/secret}"}"#)
            let directory = folder.path
            let source = ConfigSource.load(path: directory + "/config.json") { $0 == "DIR" ? directory : nil }
            #expect(source.problems.text == "")
            #expect(source.root?["a"]?.plainText == "hunter2")
            #expect(source.root?["a"]?.isSecret == true)
            #expect(source.root?["b"]?.plainText == "<a\nb>")
            #expect(source.root?["c"]?.plainText == "hunter2")
        }
    }

    @Test func unreadableConfigIsReported() throws {
        try withFolder {
            let missing = folder.path + "/none.json"
            #expect(
                ConfigSource.load(path: missing).problems.text == "\(missing): cannot be read: No such file or directory")
            #expect(ConfigSource.load(path: folder.path).problems.text == "\(folder.path): cannot be read: Is a directory")
            #expect(ConfigSource.load(path: missing).root == nil)
        }
    }

    @Test func unreadableSecretIsReported() throws {
        try withFolder {
            try Data([0x61, 0xFF]).write(to: folder.appending(path: "binary"))
            try Data(count: (1 << 20) + 1).write(to: folder.appending(path: "large"))
            #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
            try write("config.json", #"["${file:binary}", "${file:large}", "${file:pipe}", "${file:.}", "${file:none}"]"#)
            let source = ConfigSource.load(path: folder.path + "/config.json")
            let lines = source.problems.text.split(separator: "\n").map { $0.replacing(folder.path, with: "F") }
            #expect(
                lines == [
                    "F/config.json:1:3: [0]: the file `F/binary` cannot be read: it is not UTF-8",
                    "F/config.json:1:21: [1]: the file `F/large` cannot be read: it is larger than the limit of 1048576 bytes",
                    "F/config.json:1:38: [2]: the file `F/pipe` cannot be read: it is not a regular file",
                    "F/config.json:1:54: [3]: the file `F/.` cannot be read: Is a directory",
                    "F/config.json:1:67: [4]: the file `F/none` cannot be read: No such file or directory",
                ])
        }
    }

    @Test func nameFromTheEnvironmentIsNotPrinted() {
        let source = ConfigSource.load(text: #"["${file:${env:P}}"]"#) { _ in "/secret/name" }
        #expect(
            source.problems.text
                == "config.json:1:3: [0]: the file `${file:${env:P}}` cannot be read: No such file or directory")
    }

    @Test func syntaxErrorsAndBadOverridesComeTogether() {
        let source = ConfigSource.load(text: "{\n  x", overrides: ["nonsense"])
        #expect(source.root == nil)
        #expect(source.problems.sorted.map(\.code) == [.syntax, .badOverride])
    }

    @Test func pathsAreRelativeToTheConfig() throws {
        struct Fields: ModuleConfig {
            let path: ConfigFilePath
            init(from fields: inout ConfigFields) {
                path = fields.required("path", "A file.")
            }
        }
        #expect(try Fields(json: #"{"path": "data/x.db"}"#, file: "etc/config.json").path.resolved == "etc/data/x.db")
        #expect(try Fields(json: #"{"path": "data/x.db"}"#).path.resolved == "data/x.db")
        #expect(try Fields(json: #"{"path": "/x.db"}"#, file: "etc/config.json").path.resolved == "/x.db")
        #expect(throws: ConfigError.self) { try Fields(json: #"{"path": ""}"#) }
    }

    private func withFolder(_ body: () throws -> Void) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body()
    }

    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: name))
    }
}
