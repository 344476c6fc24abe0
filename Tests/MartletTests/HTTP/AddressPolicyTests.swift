import Martlet
import Testing

/// Which addresses a request whose target somebody else chose may reach.
@Suite struct AddressPolicyTests {
    @Test(arguments: [
        ("0.1.2.3", "this host"), ("10.0.0.1", "private"), ("100.64.0.1", "provider"), ("100.100.100.200", "provider"),
        ("127.0.0.1", "loopback"), ("127.255.255.254", "loopback"), ("169.254.169.254", "link-local"),
        ("172.16.0.1", "private"), ("172.31.255.255", "private"), ("192.168.1.1", "private"), ("192.0.0.192", "reserved"),
        ("198.18.0.1", "benchmarks"), ("168.63.129.16", "metadata"), ("224.0.0.1", "multicast"), ("255.255.255.255", "reserved"),
        ("::", "this host"), ("::1", "loopback"), ("::127.0.0.1", "reserved"), ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "link-local"), ("64:ff9b::7f00:1", "loopback"), ("64:ff9b::a9fe:a9fe", "link-local"),
        ("64:ff9b:1::1", "reserved"), ("fd00:ec2::254", "private"), ("fc00::1", "private"), ("fe80::1", "link-local"),
        ("fec0::1", "private"), ("ff02::1", "multicast"), ("2001::1", "reserved"), ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "6to4"), ("4000::1", "reserved"),
    ]) func refuses(_ address: String, because what: String) throws {
        let reason = AddressPolicy.publicOnly().refusal(of: try #require(IPAddress(address)))
        #expect(reason?.contains(what) == true, "\(address): \(reason ?? "allowed")")
        #expect(AddressPolicy.any.refusal(of: try #require(IPAddress(address))) == nil)
    }

    @Test(arguments: ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
    func permits(_ address: String) throws {
        #expect(AddressPolicy.publicOnly().refusal(of: try #require(IPAddress(address))) == nil)
    }

    @Test func blocksThatAreNamedAreReached() throws {
        let policy = AddressPolicy.publicOnly(besides: try ["127.0.0.0/8", "fd00:1::/32", "10.1.2.3"].map { try #require(AddressBlock($0)) })
        for address in ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00:1::5", "10.1.2.3"] {
            #expect(policy.refusal(of: try #require(IPAddress(address))) == nil, "\(address)")
        }
        for address in ["10.1.2.4", "fd00:2::5", "::1", "169.254.169.254"] {
            #expect(policy.refusal(of: try #require(IPAddress(address))) != nil, "\(address)")
        }
        let everything = AddressPolicy.publicOnly(besides: try ["0.0.0.0/0", "::/0"].map { try #require(AddressBlock($0)) })
        #expect(everything.refusal(of: try #require(IPAddress("127.0.0.1"))) == nil)
        #expect(everything.refusal(of: try #require(IPAddress("::1"))) == nil)
    }

    @Test(arguments: ["", "10", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "fe80::1%eth0", "127.1", "example.com"])
    func noBlock(_ text: String) {
        #expect(AddressBlock(text) == nil)
    }

    @Test func addressesAreWrittenAsUsual() throws {
        #expect(try #require(IPAddress("2001:DB8:0::1")).description == "2001:db8::1")
        #expect(try #require(IPAddress("::ffff:10.0.0.1")).description == "10.0.0.1")
    }
}
