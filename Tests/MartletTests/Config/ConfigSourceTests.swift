import Foundation
import Martlet
import TestSupport
import Testing

struct ConfigSourceTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test func fileIsReadAndItsSecretsAreRelativeToIt() throws {
        try folder.write("hunter2\n", to: "secret")
        try folder.write("a\nb\r\n", to: "lines")
        try folder.write(#"{"a": "${file:secret}", "b": "<${file:lines}>", "c": "${file:${env:DIR}/secret}"}"#, to: "config.json")
        let directory = folder.path
        let source = ConfigSource.load(path: folder["config.json"]) { $0 == "DIR" ? directory : nil }
        #expect(source.problems.text == "")
        #expect(source.root?["a"]?.plainText == "hunter2")
        #expect(source.root?["a"]?.isSecret == true)
        #expect(source.root?["b"]?.plainText == "<a\nb>")
        #expect(source.root?["c"]?.plainText == "hunter2")
    }

    @Test func unreadableConfigIsReported() throws {
        let missing = folder["none.json"]
        #expect(
            ConfigSource.load(path: missing).problems.text == "\(missing): cannot be read: No such file or directory")
        #expect(ConfigSource.load(path: folder.path).problems.text == "\(folder.path): cannot be read: Is a directory")
        #expect(ConfigSource.load(path: missing).root == nil)
    }

    @Test func unreadableSecretIsReported() throws {
        try Data([0x61, 0xFF]).write(to: URL(fileURLWithPath: folder["binary"]))
        try Data(count: (1 << 20) + 1).write(to: URL(fileURLWithPath: folder["large"]))
        #expect(mkfifo(folder["pipe"], 0o600) == 0)
        try folder.write(#"["${file:binary}", "${file:large}", "${file:pipe}", "${file:.}", "${file:none}"]"#, to: "config.json")
        let source = ConfigSource.load(path: folder["config.json"])
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
}
