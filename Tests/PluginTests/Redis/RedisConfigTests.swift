import Martlet
import MartletTesting
import RedisPlugin
import Testing

struct RedisConfigTests {
    @Test(arguments: [
        "redis://127.0.0.1", "redis://redis.example:6380/3", "redis://[::1]:6379", "redis://:secret@host", "redis://ann:se%40cret@host/0",
    ])
    func aGoodURL(_ url: String) throws {
        _ = try TestHost().make(RedisPubSub.self, #"{"url": "\#(url)"}"#)
    }

    @Test(arguments: [
        ("rediss://host", "TLS"), ("http://host", "must be `redis://"), ("redis://", "has no host"),
        ("redis://host:0", "port"), ("redis://host:sixthousand", "port"), ("redis://fe80::1", "brackets"),
        ("redis://host/one", "database"), ("redis://host/-1", "database"), ("redis://host/1/2", "database"),
        ("redis://ann@host", "without a password"), ("redis://:s3cret%4@host", "hexadecimal"),
        ("redis://:s3cret@host?db=1", "must have no `?`"), ("redis://[::1]x", "in brackets"),
    ])
    func aBadURLIsExplainedWithoutItsText(url: String, expected: String) throws {
        let error = #expect(throws: ConfigError.self) { try TestHost().make(RedisPubSub.self, #"{"url": "\#(url)"}"#) }
        let text = try #require(error).description
        #expect(text.contains(expected))
        #expect(text.contains("url"))
        #expect(!text.contains("s3cret"))
    }

    @Test(arguments: [
        (#"{"url": "redis://:s3cret@host", "password": "s3cret"}"#, "password"),
        (#"{"url": "redis://ann:s3cret@host", "user": "bob"}"#, "user"),
        (#"{"url": "redis://host", "user": "bob"}"#, "a user needs a password"),
    ])
    func aLoginIsGivenOnce(json: String, expected: String) throws {
        let error = #expect(throws: ConfigError.self) { try TestHost().make(RedisPubSub.self, json) }
        let text = try #require(error).description
        #expect(text.contains(expected))
        #expect(!text.contains("s3cret"))
    }
}
