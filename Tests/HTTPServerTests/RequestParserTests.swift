import Testing

@testable import HTTPServer

/// The strict request parser: RFC 9112, every case of uNetworking/h1spec, smuggling and limits.
struct RequestParserTests {
    /// Bytes of a case; characters stand for bytes, so that U+00F6 is the lone byte 0xF6.
    private func bytes(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { UInt8($0.value) }
    }

    private func statuses(_ outcomes: [ParserDriver.Outcome]) -> [Int] {
        outcomes.map { if case .refused(let status) = $0 { status } else { 200 } }
    }

    @Test(arguments: RequestCases.all)
    func givesTheExpectedAnswer(_ expectation: RequestCases.Case) {
        let outcomes = ParserDriver.run(bytes(expectation.bytes))
        #expect(statuses(outcomes) == expectation.expected, "\(outcomes)")
    }

    @Test(arguments: RequestCases.all)
    func givesTheSameAnswerHoweverTheBytesAreSplit(_ expectation: RequestCases.Case) {
        let input = bytes(expectation.bytes)
        let whole = ParserDriver.run(input)
        var single = ParserDriver()
        for byte in input { single.feed([byte]) }
        #expect(single.outcomes == whole, "byte by byte")
        // Long inputs are split around every 97th byte to keep this quick.
        for split in stride(from: 1, to: input.count, by: input.count > 1500 ? 97 : 1) {
            var driver = ParserDriver()
            driver.feed(input[..<split])
            driver.feed(input[split...])
            #expect(driver.outcomes == whole, "split at \(split)")
            if driver.outcomes != whole { return }
        }
    }

    @Test func takesTheBodyOfASizedRequest() throws {
        let request = try #require(
            ParserDriver.request("POST /likes HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n{\"a\":\"b\"}\r\n"))
        #expect(request.body.text == "{\"a\":\"b\"}\r\n")
        #expect(request.method == .post)
    }

    @Test func joinsChunksAndDropsExtensionsAndTrailers() {
        let outcomes = ParserDriver.run(
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nWiki\r\nF\r\npedia in\r\n\r\nchu\r\n0\r\nSecret: 1\r\n\r\n")
        guard case .request(_, _, _, _, let headers, let body) = outcomes.first else {
            Issue.record("not accepted: \(outcomes)")
            return
        }
        #expect(String(decoding: body, as: UTF8.self) == "Wikipedia in\r\n\r\nchu")
        #expect(headers == ["Host: x", "Transfer-Encoding: chunked"])
    }

    @Test func paddsBodiesWithZeros() throws {
        for count in [1, 63, 64, 65, 4096, 70_000] {
            let text = String(repeating: "a", count: count)
            let request = try #require(
                ParserDriver.request("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(count)\r\n\r\n\(text)"))
            let spare = UnsafeRawBufferPointer(start: request.body.pointer + count, count: SharedBytes.spareCount)
            #expect(request.body.count == count)
            #expect(spare.allSatisfy { $0 == 0 })
        }
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: Upgrade, CLOSE\r\n", false), ("HTTP/1.1", "Connection: closed\r\n", true),
        ("HTTP/1.0", "", false), ("HTTP/1.0", "Connection: keep-alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
        ("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
    ])
    func knowsWhetherTheConnectionIsKept(version: String, field: String, isKept: Bool) throws {
        let request = try #require(ParserDriver.request("GET / \(version)\r\nHost: x\r\n\(field)\r\n"))
        #expect(request.wantsKeepAlive == isKept)
    }

    @Test func asksForTheBodyOnceWhenTheClientWaits() {
        var driver = ParserDriver()
        driver.feed("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n".utf8)
        #expect(driver.continues == 1)
        driver.feed("h".utf8)
        driver.feed("i".utf8)
        #expect(driver.continues == 1)
        #expect(driver.outcomes.count == 1)
    }

    @Test func doesNotAskForABodyThatIsThereOrThatHTTP10Announces() {
        var eager = ParserDriver()
        eager.feed("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi".utf8)
        #expect(eager.continues == 0)
        var old = ParserDriver()
        old.feed("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n".utf8)
        #expect(old.continues == 0)
    }

    @Test func isIdleBetweenRequestsAndStaysFailed() {
        var driver = ParserDriver()
        driver.feed("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        #expect(driver.isIdle)
        driver.feed("G".utf8)
        #expect(!driver.isIdle)
        var parser = RequestParser()
        for _ in 0..<2 {
            let result = Array("GET / HTTP/1.1\n".utf8).withUnsafeBytes { parser.parse($0) }
            guard case .failed(let error) = result else {
                Issue.record("accepted a bare LF")
                return
            }
            #expect(error.status == .badRequest)
        }
    }

    @Test func countsChunksAgainstTheBodyLimit() {
        var limits = RequestLimits()
        limits.bodyBytesMax = 10
        let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(statuses(ParserDriver.run(head + "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", limits: limits)) == [200])
        #expect(statuses(ParserDriver.run(head + "5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n", limits: limits)) == [413])
    }

    @Test func errorsSayWhatWasExpected() {
        var parser = RequestParser()
        let result = Array("GET / HTTP/1.1\r\nHost : x\r\n".utf8).withUnsafeBytes { parser.parse($0) }
        guard case .failed(let error) = result else {
            Issue.record("accepted")
            return
        }
        #expect(error.description == "400 Bad Request: white space between a header field's name and its colon")
    }
}
