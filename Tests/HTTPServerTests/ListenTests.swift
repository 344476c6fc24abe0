import CEvent
import Testing

@testable import HTTPServer

/// Addresses, and why listening on one fails.
struct ListenTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:0", "::1", 0), (":80", "", 80), ("localhost:65535", "localhost", 65535),
    ])
    func parsesAddresses(text: String, host: String, port: Int) throws {
        let address = try ListenAddress(parsing: text)
        #expect(address == ListenAddress(host: host, port: UInt16(port)))
        #expect(address.description == text)
    }

    @Test(arguments: ["", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "::1:80", "[127.0.0.1]:80", "a:b"])
    func refusesOthers(text: String) {
        #expect(throws: HTTPServerError.malformedAddress(text)) { try ListenAddress(parsing: text) }
    }

    @Test(arguments: [1, 2])
    func saysThatAPortIsInUse(loops: Int) async throws {
        try await TestServer.run(loops: loops, handler: echo) { running in
            let second = HTTPServer(loops: running.group.loops, handler: echo)
            let address = ListenAddress(host: "127.0.0.1", port: running.port)
            #expect(throws: HTTPServerError.addressInUse(address)) { try second.listen(on: address) }
            #expect(
                HTTPServerError.addressInUse(address).description
                    == "http.address_in_use: cannot listen on 127.0.0.1:\(running.port): the port is in use; stop the process that has it (ss -ltnp 'sport = :\(running.port)') or choose another port"
            )
            // The listener that was there goes on.
            let response = try running.get("/")
            #expect(response.status == 200)
            await second.stop(grace: .zero)
        }
    }

    @Test func listensOnAPortWhoseOldConnectionsLinger() async throws {
        let port = Shared<UInt16>(0)
        try await TestServer.run(handler: echo) { running in
            let number = running.port
            port.update { $0 = number }
            let client = try running.client()
            // The server closes first, so that its side of the connection stays in TIME_WAIT.
            _ = try client.get("/", "Connection: close\r\n")
            _ = try client.takeToEnd()
        }
        try await TestServer.run(loops: 2, handler: echo) { running in
            let again = HTTPServer(loops: running.group.loops, handler: echo)
            try again.listen(on: ListenAddress(host: "127.0.0.1", port: port.current))
            #expect(try TestServer.get("/", port: port.current).status == 200)
            await again.stop(grace: .zero)
        }
    }

    @Test func listensOnIPv6AndOnSeveralAddresses() async throws {
        try await TestServer.run(loops: 2, handler: echo) { running in
            let address = try running.server.listen(on: ListenAddress(host: "::1", port: 0))
            #expect(try TestServer.get("/six", port: address.port, isIPv6: true).body == "GET /six ")
            #expect(try running.get("/four").body == "GET /four ")
        }
    }

    @Test func listensOnAllInterfaces() async throws {
        try await TestServer.run(loops: 2, handler: echo) { running in
            let address = try running.server.listen(on: ListenAddress(parsing: ":0"))
            #expect(try TestServer.get("/", port: address.port).status == 200)
            #expect(try TestServer.get("/", port: address.port, isIPv6: true).status == 200)
        }
    }

    @Test func namesAHostThatIsUnknownAndAnAddressOfAnotherMachine() async throws {
        try await TestServer.run(handler: echo) { running in
            let foreign = ListenAddress(host: "192.0.2.1", port: 0)
            #expect(throws: HTTPServerError.addressNotAvailable(foreign)) { try running.server.listen(on: foreign) }
            let unknown = ListenAddress(host: "no such host", port: 0)
            let error = #expect(throws: HTTPServerError.self) { try running.server.listen(on: unknown) }
            #expect(error?.description.hasPrefix("http.unknown_host: cannot listen on no such host:0: no address for host \"no such host\"") == true)
        }
    }

    @Test func raisesTheLimitOfOpenFiles() {
        let limit = OpenFileLimit.raise()
        var now = rlimit()
        #expect(cevent_open_file_limit(&now) == 0)
        #expect(now.rlim_cur == now.rlim_max)
        #expect(limit == Int(clamping: now.rlim_max))
    }
}
