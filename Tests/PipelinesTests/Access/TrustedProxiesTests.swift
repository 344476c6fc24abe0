import Martlet
import Testing

@testable import Pipelines

/// Which address counts as a client's.
struct TrustedProxiesTests {
    private func client(
        behind peer: String, trusting blocks: String = #"["10.0.0.0/8", "::1", "fd00::/8"]"#, header: String = "x-forwarded-for", _ value: String?
    ) throws -> String {
        let config = try HostConfig(json: #"{ "trusted_proxies": \#(blocks), "forwarded_header": "\#(header)" }"#)
        let proxies = try #require(TrustedProxies(config))
        return proxies.client(behind: peer) { $0 == header ? value : nil }
    }

    @Test(arguments: [
        // What the proxy appended counts, whatever the client wrote before it.
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4,garbage,203.0.113.7", "203.0.113.7"),
        // Not even if it writes what makes one character with the comma behind it.
        ("10.0.0.1", "1.2.3.4 \u{600}, 203.0.113.7", "203.0.113.7"),
        // A chain of proxies, also through IPv6.
        ("10.0.0.1", "203.0.113.7, 10.9.9.9, fd00::2", "203.0.113.7"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        // Ports and brackets are no part of the address; one address has one text.
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.1", "[2001:DB8:0::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        // All are trusted: the first is the client.
        ("10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        // Behind what a trusted proxy did not know, nobody is believed.
        ("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, , 10.3.3.3", "10.3.3.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        // Anybody can write the header.
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("", "203.0.113.7", ""),
    ])
    func theListIsReadFromItsEnd(peer: String, list: String, client: String) throws {
        #expect(try self.client(behind: peer, list) == client)
    }

    @Test func withoutTheHeaderTheProxyIsTheClient() throws {
        #expect(try client(behind: "10.0.0.1", nil) == "10.0.0.1")
    }

    @Test(arguments: [
        ("for=203.0.113.7", "203.0.113.7"),
        ("for=1.2.3.4;proto=https, For=203.0.113.7;by=10.0.0.1", "203.0.113.7"),
        (#"for="[2001:db8::7]:4711";host="a,b;c""#, "2001:db8::7"),
        (#"for="203.0.113.7\:80""#, "203.0.113.7"),
        ("for=203.0.113.7, for=10.4.4.4", "203.0.113.7"),
        ("for=203.0.113.7, for=_hidden", "10.0.0.1"),
        ("for=203.0.113.7, proto=https", "10.0.0.1"),
        // A client's quotation must not swallow what the proxy appends.
        (#"for="1.2.3.4, for=203.0.113.7"#, "10.0.0.1"),
        (#"for=1.2.3.4;x=", for="[2001:db8::7]""#, "10.0.0.1"),
        ("for=1.2.3.4 x, for=203.0.113.7", "10.0.0.1"),
        ("for", "10.0.0.1"),
    ])
    func theStandardHeaderIsReadAsWell(value: String, client: String) throws {
        #expect(try self.client(behind: "10.0.0.1", header: "forwarded", value) == client)
    }

    /// A header that the proxies do not write is the client's own.
    @Test func theOtherHeaderSaysNothing() throws {
        let proxies = try #require(TrustedProxies(try HostConfig(json: #"{ "trusted_proxies": ["10.0.0.0/8"] }"#)))
        #expect(proxies.client(behind: "10.0.0.1") { $0 == "forwarded" ? "for=203.0.113.7" : nil } == "10.0.0.1")
    }

    @Test func nobodyIsTrustedUnlessNamed() throws {
        #expect(TrustedProxies(try HostConfig(json: "{}")) == nil)
    }

    @Test func whatIsNoBlockIsReported() {
        let error = #expect(throws: ConfigError.self) {
            try HostConfig(json: #"{ "trusted_proxies": ["10.0.0.0/33", "nginx"], "forwarded_header": "via" }"#)
        }
        let text = error?.description ?? ""
        #expect(text.contains(#"trusted_proxies[0]: must be a block of addresses, found "10.0.0.0/33""#), "\(text)")
        #expect(text.contains(#"trusted_proxies[1]: must be a block of addresses, found "nginx""#), "\(text)")
        #expect(text.contains("forwarded_header: "), "\(text)")
    }
}
