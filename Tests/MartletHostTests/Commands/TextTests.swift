import Martlet
import TestSupport
import Testing

@testable import MartletHost

/// How people write times, lengths of time, offsets and addresses.
@Suite struct TextTests {
    static let times: [(String, Int64?)] = [
        ("0", 0), ("1700000000000", 1_700_000_000_000), ("-1", nil), ("", nil), ("1970-01-01", 0),
        ("1970-01-01T00:00:00Z", 0), ("2026-01-31T12:00:00Z", 1_769_860_800_000),
        ("2026-01-31T13:00:00.25+01:00", 1_769_860_800_250), ("2026-01-31T11:30:00-00:30", 1_769_860_800_000),
        ("2024-02-29", 1_709_164_800_000), ("2026-01-31 12:00", 1_769_860_800_000), ("2000-03-01", 951_868_800_000),
        ("1969-12-31T23:59:59Z", -1000), ("2023-02-29", nil), ("2026-13-01", nil), ("2026-01-31T24:00:00Z", nil),
        ("2026-01-31T12:00:00+1:00", nil), ("2026-01-31T12:00:00Zx", nil), ("yesterday", nil), ("2026-1-31", nil),
    ]

    @Test(arguments: times) func aTime(_ text: String, _ milliseconds: Int64?) {
        #expect(TimeText.parse(text) == milliseconds)
    }

    static let durations: [(String, Int64?)] = [
        ("500ms", 500), ("90s", 90_000), ("15m", 900_000), ("2h", 7_200_000), ("7d", 604_800_000), ("0s", 0), ("5", nil),
        ("-5s", nil), ("1.5h", nil), ("", nil), ("9223372036854775807d", nil), ("h", nil),
    ]

    @Test(arguments: durations) func aDuration(_ text: String, _ milliseconds: Int64?) {
        #expect(DurationText.parse(text) == milliseconds)
    }

    static let offsets: [(String, OffsetText?)] = [
        ("earliest", .earliest), ("latest", .latest), ("0", .offset(0)), ("42", .offset(42)), ("-10", .last(10)),
        ("@17", .time(17)), ("@-1", nil), ("@", nil), ("last", nil), ("", nil), ("1.5", nil), ("-9223372036854775808", nil),
    ]

    @Test(arguments: offsets) func anOffset(_ text: String, _ offset: OffsetText?) {
        #expect(OffsetText(text) == offset)
        if let offset { #expect(OffsetText(offset.text) == offset) }
    }

    @Test func aCursor() throws {
        let cursor = try #require(RecordCursor("0:42,3:7"))
        #expect(cursor.positions == [.init(partition: 0, next: 42), .init(partition: 3, next: 7)])
        #expect(cursor.text == "0:42,3:7")
        for text in ["", "0", "0:", "0:1,", "0:1,0:2", "-1:0", "0:-1", "a:b", "0:1:2"] { #expect(RecordCursor(text) == nil, "\(text)") }
    }

    static let addresses: [(String, String?)] = [
        ("127.0.0.1:8081", "http://127.0.0.1:8081"), ("http://h:1/", "http://h:1"), ("https://h", "https://h"),
        ("http://[::1]:8081", "http://[::1]:8081"), ("", nil), ("http://", nil), ("http://h:1/path", nil), (":8081", nil),
        ("http://user@h", nil), ("a b", nil),
    ]

    @Test(arguments: addresses) func anAdminAddress(_ text: String, _ origin: String?) {
        #expect((try? AdminAddress.normalized(text)) == origin)
    }

    static let listeners: [(String, String?)] = [
        ("127.0.0.1:8081", "http://127.0.0.1:8081"), ("0.0.0.0:9", "http://127.0.0.1:9"), (":9", "http://127.0.0.1:9"),
        ("[::]:9", "http://[::1]:9"), ("example.org:80", "http://example.org:80"), ("127.0.0.1:0", nil), ("nothing", nil),
    ]

    @Test(arguments: listeners) func theAddressOfAListener(_ text: String, _ origin: String?) {
        #expect((try? AdminAddress.origin(listening: text)) == origin)
    }

    @Test func theAddressOfAConfig() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            #"{ "host": { "admin_listen": "127.0.0.1:7001", "admin_token": "secret" }, "log": { "tipe": "x" } }"#, to: "a.json")
        let options: [CommandOption] = [.admin, .config]
        let fromConfig = try AdminAddress.find(Arguments(["--config", folder["a.json"]], options: options))
        #expect(fromConfig == AdminAddress(origin: "http://127.0.0.1:7001", token: "secret"))
        let given = try AdminAddress.find(Arguments(["--config", folder["a.json"], "--admin", "h:1"], options: options))
        #expect(given == AdminAddress(origin: "http://h:1", token: "secret"))
        #expect(throws: ConfigError.self) {
            try AdminAddress.find(Arguments(["--config", folder["missing.json"]], options: options))
        }
        try folder.write(#"{ "host": { "admin_listen": 7 } }"#, to: "b.json")
        #expect(throws: ConfigError.self) { try AdminAddress.find(Arguments(["--config", folder["b.json"]], options: options)) }
    }

    @Test func base64() {
        let samples = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=", "foobar": "Zm9vYmFy"]
        for (plain, encoded) in samples {
            #expect(Base64.encode(Bytes(plain)) == encoded)
            #expect(Base64.decode(encoded) == Bytes(plain))
        }
        let all = Bytes((0...255).map { UInt8($0) })
        #expect(Base64.decode(Base64.encode(all)) == all)
        for text in ["Z", "Zg=", "Zg=x", "====", "Z===", "Zm 9", "Zm9v\n"] { #expect(Base64.decode(text) == nil, "\(text)") }
    }

    @Test func percentEncoding() {
        #expect(AdminClient.encoded("a b/ü?&=~") == "a%20b%2F%C3%BC%3F%26%3D~")
    }
}
