import Testing

@testable import HTTPServer

/// Response fields and problem details.
struct HTTPHeadersTests {
    @Test func writesFieldsInOrder() throws {
        let headers = try HTTPHeaders([("Content-Type", "text/plain"), ("X-A", "")]).adding("X-B", "b c")
        #expect(String(decoding: headers.bytes, as: UTF8.self) == "Content-Type: text/plain\r\nX-A: \r\nX-B: b c\r\n")
    }

    @Test(arguments: [
        ("X-A", "a\r\nSet-Cookie: b", HTTPHeaderError.Problem.controlCharacter), ("X-A", "a\0", .controlCharacter),
        ("X A", "a", .malformedName), ("", "a", .malformedName), ("X-A:", "a", .malformedName),
        ("content-length", "1", .reserved), ("Transfer-Encoding", "chunked", .reserved), ("Connection", "close", .reserved),
    ])
    func refusesFieldsThatWouldBreakTheResponse(name: String, value: String, problem: HTTPHeaderError.Problem) {
        #expect(throws: HTTPHeaderError(name: name, problem: problem)) { try HTTPHeaders([(name, value)]) }
    }

    @Test func escapesProblemDetails() {
        let problem = ProblemDetails(.conflict, "a \"b\"\n\\ \u{1} ü")
        #expect(
            problem.json.text
                == "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,\"detail\":\"a \\\"b\\\"\\n\\\\ \\u0001 ü\"}\n")
    }

    @Test func knowsReasons() {
        #expect(HTTPStatus.notFound.description == "404 Not Found")
        #expect(HTTPStatus(299).description == "299")
    }
}
