import Testing

@testable import HTTPServer

/// Routes: matching, automatic answers, collisions, replacement.
struct RouterTests {
    private func named(_ method: HTTPMethod, _ pattern: String, owner: String = "") throws -> Route {
        try Route(method, pattern, owner: owner) { exchange in
            let names = ["user", "id", "x"].compactMap { name in exchange.pathParameter(name).map { "\(name)=\($0)" } }
            exchange.respond(.ok, body: SharedBytes("\(method.name) \(pattern) \(names.joined(separator: " "))"))
        }
    }

    private func serve(_ routes: [Route], _ body: (TestClient) throws -> Void) async throws {
        let router = try Router(routes)
        try await TestServer.run(handler: { router.dispatch($0) }) { running in try body(running.client()) }
    }

    @Test func matchesLiteralsBeforeParametersAndGoesBack() async throws {
        let routes = [
            try named(.get, "/"), try named(.get, "/users/{user}"), try named(.get, "/users/me"),
            try named(.get, "/users/{user}/posts/{id}"), try named(.get, "/users/me/settings"), try named(.get, "/ünï/{x}"),
        ]
        try await serve(routes) { client in
            #expect(try client.get("/").body == "GET / ")
            #expect(try client.get("/users/ann%20b").body == "GET /users/{user} user=ann b")
            #expect(try client.get("/users/me?x=1").body == "GET /users/me ")
            #expect(try client.get("/users/m%65").body == "GET /users/me ")
            #expect(try client.get("/users/me/posts/7").body == "GET /users/{user}/posts/{id} user=me id=7")
            #expect(try client.get("/%C3%BCn%C3%AF/%2F").body == "GET /ünï/{x} x=/")
            for path in ["/users", "/users/", "/users/a/", "/users//posts/1", "/user", "/users/me/posts", "//", "/Users/me"] {
                let response = try client.get(path)
                #expect(response.status == 404, "\(path)")
                #expect(response.body.contains("\"detail\":\"nothing is served at \(path)\""))
            }
        }
    }

    @Test func answersHeadOptionsAndWrongMethods() async throws {
        let routes = [try named(.get, "/a"), try named(.post, "/a"), try named(.delete, "/b")]
        try await serve(routes) { client in
            try client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try client.takeResponse(toHead: true).status == 200)
            try client.send("OPTIONS /a HTTP/1.1\r\nHost: x\r\n\r\n")
            let options = try client.takeResponse()
            #expect(options.status == 204)
            #expect(options.header("Allow") == "GET, HEAD, POST, OPTIONS")
            try client.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try client.takeResponse().status == 204)
            let wrong = try client.get("/b")
            #expect(wrong.status == 405)
            #expect(wrong.header("Allow") == "DELETE, OPTIONS")
            #expect(wrong.header("Content-Type") == "application/problem+json")
            #expect(wrong.body.contains("/b does not answer GET; expected one of DELETE, OPTIONS"))
        }
    }

    @Test func namesBothRoutesOfACollision() throws {
        let first = try named(.get, "/users/{user}/stream", owner: "channels.stream")
        let second = try named(.get, "/users/{id}/stream", owner: "queries.list")
        let error = #expect(throws: RouteError.self) { try Router([first, second]) }
        #expect(
            error?.description
                == "http.route_collision: GET /users/{user}/stream (channels.stream) and GET /users/{id}/stream (queries.list) answer the same requests; give one of them another path or method"
        )
        _ = try Router([first, try named(.post, "/users/{id}/stream"), try named(.get, "/users/me/stream")])
    }

    @Test(arguments: ["users", "", "/a b", "/a?b", "/{}", "/{a", "/a}", "/x{a}", "/{a}/{a}", "/{a b}", "/%41"])
    func refusesMalformedPatterns(pattern: String) {
        let error = #expect(throws: RouteError.self) { try Route(.get, pattern, owner: "queries.q") { _ in } }
        #expect(error?.description.hasPrefix("http.malformed_route: path \"\(pattern)\" of queries.q is malformed: ") == true)
    }

    @Test func replacesRoutesUnderOpenConnections() async throws {
        let router = SwappableRouter(try Router([try named(.get, "/old")]))
        try await TestServer.run(handler: router.dispatch) { running in
            let client = try running.client()
            #expect(try client.get("/old").status == 200)
            router.replace(with: try Router([try named(.get, "/new")]))
            #expect(try client.get("/old").status == 404)
            #expect(try client.get("/new").status == 200)
            #expect(running.server.counters.accepted == 1)
        }
    }
}
