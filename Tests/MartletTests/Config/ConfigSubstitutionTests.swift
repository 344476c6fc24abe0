import Martlet
import Testing

struct ConfigSubstitutionTests {
    struct Fields: ModuleConfig {
        let text: String?
        let template: ConfigText?
        let port: Int?
        let ratio: Double?
        let isOpen: Bool?
        let mode: SampleConfig.OnConflict?
        let list: [ConfigText]

        init(from fields: inout ConfigFields) {
            text = fields.optional("text", "Plain text.")
            template = fields.optional("template", "A template.")
            port = fields.optional("port", in: 1...65_535, "A port.")
            ratio = fields.optional("ratio", "A number.")
            isOpen = fields.optional("open", "A boolean.")
            mode = fields.optional("mode", "A choice.")
            list = fields.optional("list", default: [], "Templates.")
        }
    }

    private static let environment = [
        "NAME": "ada", "EMPTY": "", "PORT": "9000", "OPEN": "true", "RATIO": "0.25", "MODE": "ignore", "TEMPLATE": "${/actor}",
        "DOLLAR": "a$", "DOLLARS": "$$", "BRACE": "{/x}", "ESCAPED": "$${x}", "AGAIN": "${env:NAME}", "QUOTE": "\"}\n",
    ]

    @Test(arguments: [
        ("${env:NAME}", "ada"), ("<${env:NAME}-${env:NAME}>", "<ada-ada>"), ("${env:EMPTY}", ""), ("${env:NONE:-x y}", "x y"),
        ("${env:EMPTY:-x}", "x"), ("${env:NONE:-}", ""), ("${env:NAME:-x}", "ada"), ("${env:NONE:-${env:NAME}!}", "ada!"),
        ("$${env:NAME}", "${env:NAME}"), ("$$${env:NAME}", "$ada"), ("$1 $$ {x}", "$1 $$ {x}"),
        ("${env:TEMPLATE}", "${/actor}"), ("${env:AGAIN}", "${env:NAME}"), ("${env:ESCAPED}", "$${x}"),
        ("${env:DOLLAR}{/x}", "a${/x}"), ("$$${env:BRACE}", "${/x}"), ("${env:DOLLARS}${env:BRACE}", "$${/x}"),
        ("${env:DOLLAR}", "a$"), ("${env:QUOTE}", "\"}\n"), ("${env:NONE:-{\"a\"}}", "{\"a\"}"), ("é${env:NAME}🐦", "éada🐦"),
    ])
    func plainTextIsResolvedOnce(_ written: String, _ text: String) throws {
        #expect(try decode(["text": .string(written)]).text == text)
    }

    @Test(arguments: [
        ("${/x}-${env:NAME}", [.expression("/x"), .literal("-ada")]),
        ("${env:TEMPLATE}${/x}", [.literal("${/actor}"), .expression("/x")]),
        ("${env:DOLLAR}${/x}", [.literal("a$"), .expression("/x")]),
        ("${env:DOLLAR}{/x}", [.literal("a${/x}")]),
        ("$$${env:BRACE}${/x}", [.literal("${/x}"), .expression("/x")]),
        ("${env:DOLLARS}${env:BRACE}", [.literal("$${/x}")]),
        ("${env:ESCAPED}", [.literal("$${x}")]),
        ("$${/x} ${env:NAME}", [.literal("${/x} ada")]),
        ("$$${/x}", [.literal("$"), .expression("/x")]),
        ("$$$${/x}", [.literal("$${/x}")]),
        ("${/x", [.unterminated("/x")]),
        ("${/x:-${/y}}", [.expression("/x:-${/y}")]),
    ] as [(String, [SubstitutionScanner.Piece])])
    func templatesSeeSubstitutedTextAsLiteral(_ written: String, _ pieces: [SubstitutionScanner.Piece]) throws {
        let config = try decode(["template": .string(written)], check: written != "${/x:-${/y}}")
        #expect((config.template?.pieces.map(\.piece) ?? SubstitutionScanner.scan(written).map(\.piece)) == pieces)
    }

    @Test func wholeSubstitutionServesOtherTypes() throws {
        let config = try decode([
            "port": "${env:PORT}", "ratio": "${env:RATIO}", "open": "${env:OPEN}", "mode": "${env:MODE}",
        ])
        #expect(config.port == 9000)
        #expect(config.ratio == 0.25)
        #expect(config.isOpen == true)
        #expect(config.mode == .ignore)
        #expect(try decode(["port": "${env:NONE:-8080}", "text": "${env:PORT}"]).port == 8080)
    }

    @Test(arguments: [
        ConfigMistake(
            "missing variable", #"{"text": "a ${env:HOST} ${env:HOST2}"}"#,
            """
            config.json:1:13: text: the environment variable `HOST` is not set
              set it, or give a default: ${env:HOST:-default}
            """),
        ConfigMistake(
            "several", #"{"port": "${env:A}", "list": ["${env:NAME}", "${env:B}"], "open": 1}"#,
            """
            config.json:1:11: port: the environment variable `A` is not set
              set it, or give a default: ${env:A:-default}
            config.json:1:47: list[1]: the environment variable `B` is not set
              set it, or give a default: ${env:B:-default}
            config.json:1:67: open: must be true or false, found 1
            """),
        ConfigMistake(
            "column after escapes", #"{"text": "\n\u00e9é${env:HOST}"}"#,
            """
            config.json:1:20: text: the environment variable `HOST` is not set
              set it, or give a default: ${env:HOST:-default}
            """),
        ConfigMistake(
            "not a name", #"{"text": "${env:A-B}"}"#,
            """
            config.json:1:11: text: expected `${env:NAME}` or `${env:NAME:-default}`, found `${env:A-B}`
              write $${ for a literal ${
            """),
        ConfigMistake(
            "no name", #"{"text": "${env:}"}"#,
            """
            config.json:1:11: text: expected `${env:NAME}` or `${env:NAME:-default}`, found `${env:}`
              write $${ for a literal ${
            """),
        ConfigMistake(
            "unknown substitution", #"{"text": "${evn:NAME}"}"#,
            """
            config.json:1:11: text: unknown substitution `evn:`; did you mean `env:`?
              valid substitutions: ${env:NAME}, ${env:NAME:-default}, ${file:PATH}
            """),
        ConfigMistake(
            "not closed", #"{"text": "x${env:NAME"}"#,
            """
            config.json:1:12: text: expected `}` at the end of a substitution, found `${env:NAME`
              write $${ for a literal ${
            """),
        ConfigMistake(
            "inside a template", #"{"template": "${/x:-${env:NAME}}"}"#,
            """
            config.json:1:15: template: a substitution cannot stand inside a template, found `${/x:-${env:NAME}}`
              write $${ for a literal ${
            """),
        ConfigMistake(
            "template inside", #"{"template": "${env:NONE:-${/x}}"}"#,
            """
            config.json:1:15: template: a template cannot stand inside a substitution, found `${/x}`
              write $${ for a literal ${
            """),
        ConfigMistake(
            "too deep", #"{"text": "${env:A:-${env:A:-${env:A:-${env:A:-${env:A:-x}}}}}"}"#,
            """
            config.json:1:11: text: substitutions are nested deeper than 4 levels
              write $${ for a literal ${
            """),
        ConfigMistake(
            "in a key", #"{"list": [], "${env:NAME}": {}}"#,
            """
            config.json:1:14: ["${env:NAME}"]: a key cannot hold a substitution, found `${env:NAME}`
            config.json:1:14: ["${env:NAME}"]: unknown key `${env:NAME}`
              valid keys: text, template, port, ratio, open, mode, list
            """),
        ConfigMistake(
            "no path", #"{"text": "${file:}"}"#,
            """
            config.json:1:11: text: expected `${file:PATH}`, found `${file:}`
              write $${ for a literal ${
            """),
        ConfigMistake(
            "no such file", #"{"text": "${file:nothing/here}"}"#,
            "config.json:1:11: text: the file `nothing/here` cannot be read: No such file or directory"),
    ])
    func badSubstitutionIsReported(_ mistake: ConfigMistake) {
        let source = load(mistake.json)
        if let root = source.root { _ = Fields.decode(root, path: .root, problems: source.problems) }
        #expect(source.problems.text == mistake.report)
    }

    @Test(arguments: [
        (#"{"port": "${env:SECRET}"}"#, "config.json:1:10: port: must be an integer, found a hidden value"),
        (#"{"port": "${env:NUMBER}"}"#, "config.json:1:10: port: must be from 1 to 65535, found a hidden value"),
        (#"{"open": "x${env:SECRET}"}"#, "config.json:1:10: open: must be true or false, found a hidden value"),
        (
            #"{"mode": "${env:SECRET}"}"#,
            "config.json:1:10: mode: unknown value (hidden)\n  valid values: \"fail\", \"ignore\", \"replace\""
        ),
        (#"{"list": "${env:SECRET}"}"#, "config.json:1:10: list: must be a list, found a hidden value"),
        (
            #"{"text": "${/x}${env:SECRET}"}"#,
            "config.json:1:11: text: takes plain text, no template, found `${/x}`\n  write $${ for a literal ${"
        ),
    ])
    func secretIsNeverPrinted(_ json: String, _ report: String) throws {
        let source = ConfigSource.load(text: json) { ["SECRET": "hunter2", "NUMBER": "123456789"][$0] }
        #expect(Fields.decode(try #require(source.root), path: .root, problems: source.problems) == nil)
        #expect(source.problems.text == report)
    }

    @Test func secretIsMarked() throws {
        let config = try decode(["list": ["x${env:NAME}", "${env:NONE:-x}", "x"]])
        #expect(config.list.map(\.isSecret) == [true, false, false])
        let problems = ConfigProblems(file: "config.json")
        problems.reportUnknown("topic", config.list[0], among: ["t"], title: "topics")
        #expect(problems.text == "config.json:1:10: list[0]: unknown topic (hidden)\n  topics: t")
    }

    @Test func placesInTextLeadBackToTheFile() throws {
        let source = load(#"{"template": "é\t${env:NAME}+$${y}${/z}\u0041!"}"#)
        let root = try #require(source.root)
        let config = try #require(Fields.decode(root, path: .root, problems: source.problems))
        let text = try #require(config.template)
        #expect(text.source == "é\tada+$${y}${/z}A!")
        let columns = text.source.indices.map { index in
            text.place(atSourceOffset: text.source.utf8.distance(from: text.source.startIndex, to: index)).position.column
        }
        #expect(columns == [15, 16, 18, 18, 18, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 46])
        #expect(text.plain == "é\tada+${y}${/z}A!")
        let plainColumns = text.plain.indices.map { index in
            text.place(atPlainOffset: text.plain.utf8.distance(from: text.plain.startIndex, to: index)).position.column
        }
        #expect(plainColumns == [15, 16, 18, 18, 18, 29, 30, 32, 33, 34, 35, 36, 37, 38, 39, 40, 46])
    }

    private func load(_ json: String) -> ConfigSource {
        ConfigSource.load(text: json) { Self.environment[$0] }
    }

    /// Decodes a config that has no problems.
    private func decode(_ node: JSONNode, check: Bool = true) throws -> Fields {
        let source = load(JSONWriter.text(node))
        let config = source.root.flatMap { Fields.decode($0, path: .root, problems: source.problems) }
        if check { try source.problems.throwIfAny() }
        return try config ?? Fields(json: "{}")
    }
}
