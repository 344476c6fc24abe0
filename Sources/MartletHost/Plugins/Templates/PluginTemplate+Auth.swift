extension PluginTemplate {
    /// Trusts a proxy in front.
    static let auth = PluginTemplate(
        module: ##"""
            public import Martlet

            /// Trusts a proxy in front that has verified the caller: the proxy names the caller in one header, and proves itself
            /// with a secret in another.
            ///
            /// 1. decode: ``Config``.
            /// 2. validate: the secret is long enough.
            /// 3. authenticate: no waiting, on several loops at once. Without the caller's header another verifier may find
            ///    something; with it and another secret the request is refused.
            public struct __NAME__Authenticator: Authenticator {
                public struct Config: ModuleConfig {
                    let callerHeader: String
                    let secretHeader: String
                    let secret: ConfigText

                    public init(from fields: inout ConfigFields) {
                        callerHeader = fields.optional("caller_header", default: "X-User", "The header that names the caller.")
                        secretHeader = fields.optional("secret_header", default: "X-Proxy-Secret", "The header with the proxy's secret.")
                        secret = fields.required("secret", "The proxy's secret, at least 16 bytes.", example: "${env:PROXY_SECRET}")
                        if secret.plain.utf8.count < 16 {
                            fields.problem(at: "secret", "must have at least 16 bytes", found: "\(secret.plain.utf8.count) bytes")
                        }
                    }
                }

                public static let name = "__TYPE__"
                public static let summary = "Trusts a proxy in front that has verified the caller."

                public let challenge = "Proxy"
                private let config: Config

                public init?(config: Config, context: ModuleContext) {
                    self.config = config
                }

                public func open() async throws {}

                public func authenticate(_ exchange: any HTTPExchange) throws(AuthenticationFailure) -> Caller {
                    guard let caller = exchange.header(config.callerHeader), !caller.isEmpty else { throw .missing }
                    guard let secret = exchange.header(config.secretHeader), Self.isSame(secret, config.secret.plain) else {
                        throw .refused(code: "__TYPE__.unknown_proxy", reason: "the request does not come through the proxy")
                    }
                    let claims = JSONObject(members: [JSONObject.Member(key: "sub", value: .string(caller))])
                    return Caller(id: caller, claims: claims)
                }

                /// In a time that does not tell where the texts differ.
                private static func isSame(_ one: String, _ other: String) -> Bool {
                    guard one.utf8.count == other.utf8.count else { return false }
                    return zip(one.utf8, other.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
                }

                public func close() async {}
            }

            """##,
        tests: ##"""
            import __NAME__Plugin
            import Martlet
            import MartletTesting
            import Testing

            struct __NAME__AuthenticatorTests {
                private static let secret = "0123456789abcdef"

                private static func request(_ secret: String?) -> FakeExchange {
                    FakeExchange(headers: [(name: "X-User", value: "ana")] + (secret.map { [(name: "X-Proxy-Secret", value: $0)] } ?? []))
                }

                private func verifier(_ json: String) throws -> __NAME__Authenticator {
                    try TestHost().make(__NAME__Authenticator.self, json)
                }

                @Test func keepsTheContract() async throws {
                    try await AuthenticatorContract.verify(
                        callerID: "ana", good: { Self.request(Self.secret) },
                        bad: [{ Self.request(nil) }, { Self.request("0123456789abcdeg") }, { Self.request("0123456789abcdef0") }],
                        make: { try verifier(#"{"secret": "\#(Self.secret)"}"#) })
                }

                @Test func aShortSecretIsAProblem() throws {
                    let error = #expect(throws: ConfigError.self) { try verifier(#"{"secret": "short"}"#) }
                    #expect(error?.description.contains("at least 16 bytes") == true)
                    _ = try verifier(ReadmeExample.json(of: "__NAME__"))
                }
            }

            """##,
        readme: """
            # __NAME__

            Verifier `__TYPE__`: trusts a proxy in front that has verified the caller. The proxy names the caller in one header, and
            proves itself with a secret in another. It must take both headers out of what clients send.

            ```json
            { "type": "__TYPE__", "secret": "a-secret-of-the-proxy", "caller_header": "X-User" }
            ```

            It stands under `auth`, by a name: `"auth": { "users": { "type": "__TYPE__", … } }`; a source, channel or query then says
            `"auth": "users"`.

            | field | default | |
            |---|---|---|
            | `secret` | | the proxy's secret, at least 16 bytes; `${env:PROXY_SECRET}` reads it from the environment |
            | `caller_header` | `X-User` | the header that names the caller |
            | `secret_header` | `X-Proxy-Secret` | the header with the secret |

            ## When things fail

            - No caller's header: 401, unless another verifier of the route knows the caller.
            - Another secret, or none: 401 (`__TYPE__.unknown_proxy`).

            """)
}
