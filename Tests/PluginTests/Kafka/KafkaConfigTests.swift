import KafkaPlugin
import Martlet
import MartletTesting
import Testing

@Suite struct KafkaConfigTests {
    @Test func theReadmeShowsAConfigThatWorks() throws {
        _ = try KafkaConfig(json: ReadmeExample.json(of: "Kafka"), reserved: ["type"])
    }

    @Test(arguments: [
        (#""bootstrap_servers": []"#, "must name at least one broker, as `host:port`"),
        (#""bootstrap_servers": ["kafka-1"]"#, "must be an address such as kafka-1.example.com:9092"),
        (#""bootstrap_servers": ["a:1,b:2"]"#, "must be an address such as"),
        (#""bootstrap_servers": ["a:1"], "ca_file": "x.pem""#, "has no effect without TLS; set `security_protocol` to ssl or sasl_ssl"),
        (#""bootstrap_servers": ["a:1"], "security_protocol": "ssl", "key_file": "x.key""#, "belong together; give both"),
        (#""bootstrap_servers": ["a:1"], "sasl_username": "u""#, "has no effect; set `security_protocol` to sasl_ssl or sasl_plaintext"),
        (#""bootstrap_servers": ["a:1"], "security_protocol": "sasl_ssl""#, "needs `sasl_mechanism`, `sasl_username` and `sasl_password`"),
        (
            #""bootstrap_servers": ["a:1"], "security_protocol": "sasl_ssl", "sasl_mechanism": "PLAIN", "sasl_username": "u", "sasl_password": "p""#,
            "is a password in plain text; write it as `${env:NAME}` or `${file:PATH}`"
        ),
        (#""bootstrap_servers": ["a:1"], "fetch_wait_ms": 9500"#, "must be at least 1000 ms less than `request_timeout_ms`, 10000"),
    ])
    func aWrongConfigIsAProblem(_ fields: String, _ text: String) throws {
        let error = #expect(throws: ConfigError.self) { try TestHost().make(KafkaLog.self, "{\(fields)}") }
        #expect("\(try #require(error))".contains(text))
    }

    @Test func aCertificateThatCannotBeReadFailsTheOpening() async throws {
        let log = try TestHost().make(
            KafkaLog.self, #"{"bootstrap_servers": ["127.0.0.1:1"], "security_protocol": "ssl", "ca_file": "/nowhere/ca.pem"}"#)
        let error = await #expect(throws: ModuleError.self) { try await log.open() }
        #expect(error?.code == "log.kafka_setting" && error?.kind == .blocked)
        #expect(error?.message.contains("ssl.ca.location") == true)
        await log.close()
    }
}
