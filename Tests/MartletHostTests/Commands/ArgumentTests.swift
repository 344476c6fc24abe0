import Testing

@testable import MartletHost

@Suite struct ArgumentTests {
    private static let options: [CommandOption] = [
        .option("key", "KEY", "A key."), .option("header", "NAME=VALUE", "Headers.", isRepeatable: true), .json,
        .option("limit", "N", "How many."),
    ]

    private func parse(_ words: String...) throws -> Arguments {
        try Arguments(words, options: Self.options)
    }

    private func message(_ words: String...) -> String? {
        do {
            _ = try Arguments(words, options: Self.options)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func wordsAndOptionsInAnyOrder() throws {
        let arguments = try parse("topic", "--key", "bob", "file", "--json", "--header=a=1", "--header", "b=2", "-")
        #expect(arguments.positional == ["topic", "file", "-"])
        #expect(arguments.value("key") == "bob")
        #expect(arguments.all("header") == ["a=1", "b=2"])
        #expect(arguments.has("json"))
        #expect(!arguments.has("limit"))
    }

    @Test func twoDashesEndTheOptions() throws {
        let arguments = try parse("--key", "-5", "--", "--json")
        #expect(arguments.value("key") == "-5")
        #expect(arguments.positional == ["--json"])
    }

    @Test func helpIsFoundAnywhere() throws {
        #expect(try parse("topic", "--help").wantsHelp)
        #expect(try parse("-h").wantsHelp)
    }

    @Test func mistakesAreNamed() {
        #expect(message("--kay", "x") == "unknown option --kay; did you mean --key?")
        #expect(message("-k") == "unknown option -k")
        #expect(message("--key") == "--key needs a value: --key KEY")
        #expect(message("--json=1") == "--json takes no value")
        #expect(message("--key", "a", "--key", "b") == "--key is given twice")
    }

    @Test(arguments: ["0", "11", "many", "", "1.5"])
    func aNumberHasARange(_ text: String) throws {
        let arguments = try parse("--limit", text)
        #expect(throws: UsageError.self) { try arguments.integer("limit", default: 5, in: 1...10) }
    }

    @Test func aNumberHasADefault() throws {
        #expect(try parse().integer("limit", default: 5, in: 1...10) == 5)
        #expect(try parse("--limit", "10").integer("limit", default: 5, in: 1...10) == 10)
    }
}
