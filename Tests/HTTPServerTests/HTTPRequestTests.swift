import Testing

@testable import HTTPServer

/// What a handler reads from a request.
struct HTTPRequestTests {
    private func request(_ target: String, _ fields: String = "") throws -> HTTPRequest {
        try #require(ParserDriver.request("GET \(target) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n"))
    }

    @Test func givesHeadersWhateverTheirCase() throws {
        let request = try request("/", "Content-TYPE: text/plain \r\nX-A: 1\r\nx-a:\t2\r\nX-Empty:\r\n")
        #expect(request.header("content-type") == "text/plain")
        #expect(request.header("X-A") == "1, 2")
        #expect(request.header("X-Empty") == "")
        #expect(request.header("X-None") == nil)
        #expect(request.header("X-") == nil)
    }

    @Test func splitsThePathBeforeDecodingIt() throws {
        #expect(try request("/users/a%2Fb/%C3%BC+").pathSegments == ["users", "a/b", "ü+"])
        #expect(try request("/").pathSegments == [""])
        #expect(try request("/a/").pathSegments == ["a", ""])
        #expect(try request("/a?b/c").pathSegment(1) == nil)
        #expect(try request("http://x/a/b?c").path == "/a/b")
    }

    @Test func decodesQueryParameters() throws {
        let request = try request("/search?q=a+b%26c&limit=5&&flag&empty=&na%6De=v=w")
        #expect(request.queryParameter("q") == "a b&c")
        #expect(request.queryParameter("limit") == "5")
        #expect(request.queryParameter("flag") == "")
        #expect(request.queryParameter("empty") == "")
        #expect(request.queryParameter("name") == "v=w")
        #expect(request.queryParameter("lim") == nil)
        #expect(request.query == "q=a+b%26c&limit=5&&flag&empty=&na%6De=v=w")
        #expect(request.queryParameters.map(\.name) == ["q", "limit", "flag", "empty", "name"])
        #expect(request.target == "/search?q=a+b%26c&limit=5&&flag&empty=&na%6De=v=w")
    }

    @Test func outlivesTheBytesItWasParsedFrom() throws {
        let kept: HTTPRequest
        do {
            let bytes = Array("POST /a/b HTTP/1.1\r\nHost: x\r\nX: y\r\nContent-Length: 3\r\n\r\nabc".utf8)
            var parser = RequestParser()
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
            memory.copyBytes(from: bytes)
            guard case .request(let request, _) = parser.parse(UnsafeRawBufferPointer(memory)) else {
                Issue.record("not accepted")
                return
            }
            memory.initializeMemory(as: UInt8.self, repeating: 0xAA)
            memory.deallocate()
            kept = request
        }
        #expect(kept.path == "/a/b")
        #expect(kept.header("x") == "y")
        #expect(kept.body.text == "abc")
    }
}
