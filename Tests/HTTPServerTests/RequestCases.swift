import Testing

/// Requests and what must become of them; tables for several suites.
enum RequestCases {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: String
        /// Status codes of refusals; 200 for a request that is accepted; none while more is awaited.
        let expected: [Int]

        init(_ name: String, _ bytes: String, _ expected: Int...) {
            self.name = name
            self.bytes = bytes
            self.expected = expected
        }

        var testDescription: String { name }
    }

    private static let get = "GET / HTTP/1.1\r\nHost: example.com\r\n"
    private static let post = "POST / HTTP/1.1\r\nHost: example.com\r\n"
    private static let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"

    static let unfinished: [Case] = [
        "G", "GET ", "GET /hello", "GET /hello ", "GET /hello HTTP", "GET /hello HTTP/1.1", "GET /hello HTTP/1.1\r",
        "GET /hello HTTP/1.1\r\n", "GET /hello HTTP/1.1\r\nHos", "GET /hello HTTP/1.1\r\nHost:",
        "GET /hello HTTP/1.1\r\nHost: ", "GET /hello HTTP/1.1\r\nHost: localhost", "GET /hello HTTP/1.1\r\nHost: localhost\r",
        "GET /hello HTTP/1.1\r\nHost: localhost\r\n", "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r",
        post + "Content-Length: 5\r\n\r\nhell", chunked, chunked + "5\r\nhello", chunked + "5\r\nhello\r\n0\r\n",
    ].map { Case("awaits more after \(String($0.suffix(12)).debugDescription)", $0) }

    static let accepted: [Case] = [
        Case("expect", get + "Expect: 100-continue\r\n\r\n", 200),
        Case("plain GET", get + "\r\n", 200),
        Case("tab, odd case, empty value", "GET / HTTP/1.1\r\nhoSt:\texample.com\r\nempty:\r\n\r\n", 200),
        Case("blank value", get + "X-Empty-Header: \r\n\r\n", 200),
        Case("sized body", post + "Content-Length: 5\r\n\r\nhello", 200),
        Case("chunked body", chunked + "c\r\nHellO world1\r\n0\r\n\r\n", 200),
        Case("chunk extensions and trailers", chunked + "5;a=b;c=\"d\"\r\nhello\r\n0 ;x\r\nTrailer: 1\r\n\r\n", 200),
        Case("capital coding, leading zeros", post + "Transfer-Encoding: CHUNKED\r\n\r\n0005\r\nhello\r\n000\r\n\r\n", 200),
        Case("empty line first", "\r\n" + get + "\r\n", 200),
        Case("two pipelined", get + "\r\n" + post + "Content-Length: 2\r\n\r\nhi", 200, 200),
        Case("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 200),
        Case("absolute target", "GET http://example.com/a?b=c HTTP/1.1\r\nHost: example.com\r\n\r\n", 200),
        Case("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n", 200),
        Case("IPv6 host and port", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 200),
        Case("empty port", "GET / HTTP/1.1\r\nHost: example.com:\r\n\r\n", 200),
        Case("bytes from 0x80 in a value", get + "X-Name: Bj\u{f6}rn\r\n\r\n", 200),
        Case("escaped target", "GET /a%20b?c=%C3%BC&d HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        Case("brackets in the query", "GET /?filter[a]=1 HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        Case("zero length", post + "Content-Length: 0\r\n\r\n", 200),
    ]

    static let refusedHeads: [Case] = [
        Case("no version", "GET / \r\n\r\n", 400),
        Case("HTTP/0.9", "GET /\r\n\r\n", 400),
        Case("field name with brackets", get + "X-Invalid[]: test\r\n\r\n", 400),
        Case("no Host", "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 400),
        Case("two Hosts", get + "Host: example.org\r\n\r\n", 400),
        Case("two equal Hosts", get + "Host: example.com\r\n\r\n", 400),
        Case("empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
        Case("Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        Case("Host with user information", "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n", 400),
        Case("Host with two words", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        Case("Host with a bad port", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", 400),
        Case("target of another host", "GET http://evil/ HTTP/1.1\r\nHost: example.com\r\n\r\n", 400),
        Case("control character in a value", get + "X-Bad-Control-Char: test\u{07}\r\n\r\n", 400),
        Case("NUL in a value", get + "X: long enough a\u{0}b\r\n\r\n", 400),
        Case("DEL in a value", get + "X: long enough a\u{7f}b\r\n\r\n", 400),
        Case("NUL in a name", get + "X\u{0}: a\r\n\r\n", 400),
        Case("version 9.9", "GET / HTTP/9.9\r\nHost: example.com\r\n\r\n", 505),
        Case("version 2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        Case("version 1.2", "GET / HTTP/1.2\r\nHost: example.com\r\n\r\n", 505),
        Case("small letters in the version", "GET / http/1.1\r\nHost: example.com\r\n\r\n", 400),
        Case("version 1.10", "GET / HTTP/1.10\r\nHost: example.com\r\n\r\n", 400),
        Case("words before the request", "Extra lineGET / HTTP/1.1\r\nHost: example.com\r\n\r\n", 400),
        Case("bare CR before a field", get + "\rSome-Header: Test\r\n\r\n", 400),
        Case("bare CR in a value", get + "X: a\rb\r\n\r\n", 400),
        Case("bare CR in the request line", "GET /\r HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("bare LF behind the request line", "GET / HTTP/1.1\nHost: example.com\r\n\r\n", 400),
        Case("bare LF behind a field", "GET / HTTP/1.1\r\nHost: example.com\n\r\n", 400),
        Case("bare LF as the empty line", get + "\n", 400),
        Case("only bare LFs", "GET / HTTP/1.1\nHost: x\n\n", 400),
        Case("folded field", get + "X: a\r\n b\r\n\r\n", 400),
        Case("blank before the first field", "GET / HTTP/1.1\r\n Host: example.com\r\n\r\n", 400),
        Case("space before the colon", "GET / HTTP/1.1\r\nHost : example.com\r\n\r\n", 400),
        Case("tab before the colon", get + "Content-Length\t: 5\r\n\r\nhello", 400),
        Case("no colon", get + "Nonsense\r\n\r\n", 400),
        Case("no name", get + ": x\r\n\r\n", 400),
        Case("two spaces behind the method", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("tab behind the method", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("two spaces before the version", "GET /  HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("space behind the version", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400),
        Case("space before the method", " GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("relative target", "GET hello HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("fragment in the target", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("raw byte from 0x80 in the target", "GET /\u{f6} HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("control character in the target", "GET /a\u{1}b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("GET *", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("cut escape", "GET /a%2 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("escape without digits", "GET /a?b=%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("escaped NUL", "GET /a%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("escapes that are no UTF-8", "GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("repeated query parameter", "GET /?a=1&b=2&a=3 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("repeated query parameter, escaped", "GET /?user=1&u%73er=2 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        Case("method in small letters", "get / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        Case("CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", 400),
        Case("invalid method", "GE(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case("TLS greeting", "\u{16}\u{3}\u{1}", 400),
        Case("two empty lines first", "\r\n\r\n" + get + "\r\n", 400),
        Case("unknown expectation", post + "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n", 417),
    ]

    static let refusedFraming: [Case] = [
        Case("huge negative length", get + "Content-Length: -123456789123456789123456789\r\n\r\n", 400),
        Case("negative length", get + "Content-Length: -1234\r\n\r\n", 400),
        Case("length of letters", get + "Content-Length: abc\r\n\r\n", 400),
        Case("length with a sign", post + "Content-Length: +5\r\n\r\nhello", 400),
        Case("hexadecimal length", post + "Content-Length: 0x5\r\n\r\nhello", 400),
        Case("empty length", post + "Content-Length:\r\n\r\n", 400),
        Case("list of lengths", post + "Content-Length: 5, 5\r\n\r\nhello", 400),
        Case("two equal lengths", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
        Case("two lengths", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400),
        Case("length past 64 bits", post + "Content-Length: 99999999999999999999999\r\n\r\n", 413),
        Case("length over the limit", post + "Content-Length: 1048577\r\n\r\n", 413),
        Case("length and chunked", post + "content-LengtH: 5\r\nTransFer-Encoding: chunked\r\n\r\nc\r\nHellO world1\r\n0\r\n\r\n", 400),
        Case("chunked and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
        Case("gzip", post + "Transfer-Encoding: gzip\r\n\r\n", 400),
        Case("gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        Case("chunked, identity", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
        Case("chunked twice in a list", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
        Case("two codings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        Case("xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
        Case("quoted chunked", post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400),
        Case("empty coding", post + "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 400),
        Case("vertical tab in the coding", post + "Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n", 400),
        Case("chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        Case("chunk size of letters", chunked + "xyz\r\n", 400),
        Case("empty chunk size", chunked + "\r\n", 400),
        Case("negative chunk size", chunked + "-5\r\nhello\r\n", 400),
        Case("chunk size with 0x", chunked + "0x5\r\nhello\r\n", 400),
        Case("chunk size past 64 bits", chunked + "fffffffffffffffff\r\n", 400),
        Case("chunk size of 64 bits", chunked + "ffffffffffffffff\r\n", 413),
        Case("chunk size over the limit", chunked + "100001\r\n", 413),
        Case("blank behind the chunk size", chunked + "5 \r\nhello\r\n0\r\n\r\n", 400),
        Case("blank before the chunk size", chunked + " 5\r\nhello\r\n0\r\n\r\n", 400),
        Case("bare LF behind the chunk size", chunked + "5\nhello\r\n0\r\n\r\n", 400),
        Case("bare LF in a chunk extension", chunked + "5;a\nb\r\nhello\r\n0\r\n\r\n", 400),
        Case("bare CR in a chunk extension", chunked + "5;a\rb\r\nhello\r\n0\r\n\r\n", 400),
        Case("chunk longer than said", chunked + "5\r\nhello!\r\n0\r\n\r\n", 400),
        Case("bare LF behind the chunk data", chunked + "5\r\nhello\n0\r\n\r\n", 400),
        Case("CR without LF behind the chunk data", chunked + "5\r\nhello\rX0\r\n\r\n", 400),
        Case("long chunk size line", chunked + "5;" + String(repeating: "a", count: 300) + "\r\nhello\r\n", 400),
        Case("malformed trailer", chunked + "0\r\nno colon\r\n\r\n", 400),
        Case("bare LF behind a trailer", chunked + "0\r\nA: b\n\r\n", 400),
    ]

    static let limits: [Case] = [
        Case("long target", "GET /" + String(repeating: "a", count: 9000) + " HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        Case("long request line without end", String(repeating: "G", count: 9000), 414),
        Case("long field", get + "X: " + String(repeating: "a", count: 17_000) + "\r\n\r\n", 431),
        Case("field without end", get + "X: " + String(repeating: "a", count: 17_000), 431),
        Case("many fields", get + String(repeating: "X: a\r\n", count: 100) + "\r\n", 431),
        Case("as many fields as allowed", get + String(repeating: "X: a\r\n", count: 99) + "\r\n", 200),
        Case("many trailers", chunked + "0\r\n" + String(repeating: "X: a\r\n", count: 101) + "\r\n", 431),
        Case("trailer without end", chunked + "0\r\nX: " + String(repeating: "a", count: 17_000), 431),
        Case("many query parameters", "GET /?" + (0..<65).map { "p\($0)=1" }.joined(separator: "&") + " HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case(
            "many chunk extensions",
            chunked + String(repeating: "1;" + String(repeating: "a", count: 200) + "\r\nx\r\n", count: 90), 400),
    ]

    static let all = unfinished + accepted + refusedHeads + refusedFraming + limits
}
