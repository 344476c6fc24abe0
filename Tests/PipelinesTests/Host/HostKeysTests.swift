import Martlet
import Testing

@testable import Pipelines

/// What a reload says of the keys of `host` and `log`.
struct HostKeysTests {
    private func keys(_ json: String) throws -> HostKeys {
        HostKeys(try #require(JSONReader.read(json, problems: ConfigProblems(file: ""))))
    }

    @Test func whatAReloadPutsInForceDoesNotWait() throws {
        let start = try keys(#"{ "host": { "listen": "127.0.0.1:1", "max_connections": 5 }, "log": { "acknowledge": "fsync" } }"#)
        let new = try keys(
            #"{ "host": { "listen": "127.0.0.1:2", "max_connections": 5, "cors": { "origins": ["*"] }, "trusted_proxies": ["::1"] }, "log": {} }"#)
        #expect(new.inForce(otherThan: start) == ["host.cors", "host.trusted_proxies"])
        #expect(new.waiting(since: start) == ["host.listen", "log.acknowledge"])
    }

    @Test func layoutIsNoChange() throws {
        let start = try keys(#"{ "host": { "cors": { "origins": ["*"] }, "listen": "127.0.0.1:1" } }"#)
        let new = try keys(#"{ "log": {}, "host": { "listen":"127.0.0.1:1", "cors": {"origins":[ "*" ]} } }"#)
        #expect(new.inForce(otherThan: start).isEmpty)
        #expect(new.waiting(since: start).isEmpty)
    }
}
