import Martlet
import Testing

struct ConfigOverrideTests {
    private static let json = #"{"host": {"listen": "a:1"}, "topics": {"a.b": {"n": 1}, "c/d~e": {"n": 1}}, "list": [1, {"x": 2}]}"#

    @Test(arguments: [
        ("host.listen=127.0.0.1:9000", "/host/listen", #""127.0.0.1:9000""#), ("host.listen=8080", "/host/listen", "8080"),
        ("host.listen=\"8080\"", "/host/listen", #""8080""#), ("host.listen=", "/host/listen", #""""#),
        ("host.listen=a=b", "/host/listen", #""a=b""#), ("host.new.deep=true", "/host/new/deep", "true"),
        ("host={\"x\":[1]}", "/host", #"{"x":[1]}"#), ("/topics/a.b/n=2", "/topics/a.b/n", "2"),
        ("/topics/c~1d~0e/n=2", "/topics/c~1d~0e/n", "2"), ("list.0=9", "/list/0", "9"), ("list.1.x=9", "/list/1/x", "9"),
        ("list.2=9", "/list/2", "9"), ("/list/-/y=9", "/list/2/y", "9"), ("host.listen=007", "/host/listen", #""007""#),
        ("host.listen={broken", "/host/listen", #""{broken""#), ("host.listen=${env:NAME}", "/host/listen", #""ada""#),
        ("host.listen=null", "/host/listen", "null"),
    ])
    func valueIsPutInPlace(_ override: String, _ pointer: String, _ value: String) throws {
        let source = load([override])
        #expect(source.problems.text == "")
        let root = try #require(source.root)
        let node = try #require(find(pointer, in: root))
        #expect(JSONWriter.text(node) == value)
    }

    @Test func laterOneWinsAndTheRestStays() throws {
        let source = load(["host.listen=1", "host.listen=2"])
        #expect(
            source.root.map { JSONWriter.text($0) }
                == #"{"host":{"listen":2},"topics":{"a.b":{"n":1},"c/d~e":{"n":1}},"list":[1,{"x":2}]}"#)
    }

    @Test(arguments: [
        ("host.listen", "--set host.listen: expected NAME=VALUE", true), ("=3", "--set =3: expected a name before `=`", true),
        ("host..listen=3", "--set host..listen=3: expected a key between the dots of the name", true),
        ("/a~2=3", "--set /a~2=3: expected `~0` or `~1` after `~` in a JSON Pointer", true),
        ("/a~=3", "--set /a~=3: expected `~0` or `~1` after `~` in a JSON Pointer", true),
        (
            "host.listen.x=3",
            "--set host.listen.x=3: host.listen.x: `host.listen` is neither an object nor a list, so it has no `x`", false
        ),
        (
            "list.7=3",
            "--set list.7=3: list.7: the list `list` has no item `7`\n  it has 2, counted from 0; `-` appends one", false
        ),
        (
            "list.01=3",
            "--set list.01=3: list.01: the list `list` has no item `01`\n  it has 2, counted from 0; `-` appends one", false
        ),
        (
            #"host={"a":1,"a":2}"#,
            #"--set host={"a":1,"a":2}: a: duplicate key `a`"# + "\n  it is first at line 1, column 2", false
        ),
        (
            "host.listen=${env:NONE}",
            """
            --set host.listen=${env:NONE}: host.listen: the environment variable `NONE` is not set
              set it, or give a default: ${env:NONE:-default}
            """, false
        ),
    ])
    func badOverrideIsReported(_ override: String, _ report: String, _ isMalformed: Bool) {
        let sample = "\n  for example: --set host.listen=127.0.0.1:9000, or --set /topics/a.b/partitions=4"
        #expect(load([override]).problems.text == report + (isMalformed ? sample : ""))
    }

    @Test func problemOfAValueNamesTheOption() throws {
        let source = ConfigSource.load(
            text: #"{"table": "t", "eager": 3}"#, overrides: ["retry.max_attempts=0", "tabel=x", "eager=4", "steps=[{}]"])
        _ = SampleConfig.decode(try #require(source.root), path: .root, problems: source.problems)
        let keys = SampleConfig.describe().map(\.name).joined(separator: ", ")
        #expect(
            source.problems.text == """
                --set eager=4: eager: must be true or false, found 4
                --set retry.max_attempts=0: retry.max_attempts: must be from 1 to 100, found 0
                --set steps=[{}]: steps[0]: missing required key `id`
                  id: string, for example "id": "001-likes"
                --set steps=[{}]: steps[0]: missing required key `sql`
                  sql: string
                --set tabel=x: tabel: unknown key `tabel`; did you mean `table`?
                  valid keys: \(keys)
                """)
    }

    private func load(_ overrides: [String]) -> ConfigSource {
        ConfigSource.load(text: Self.json, overrides: overrides) { ["NAME": "ada"][$0] }
    }

    private func find(_ pointer: String, in root: JSONNode) -> JSONNode? {
        pointer.split(separator: "/").reduce(root) { node, token in
            let key = token.split(separator: "~1").joined(separator: "/").split(separator: "~0").joined(separator: "~")
            if case .array(let items)? = node?.kind { return Int(key).map { items[$0] } }
            return node?[key]
        }
    }
}
