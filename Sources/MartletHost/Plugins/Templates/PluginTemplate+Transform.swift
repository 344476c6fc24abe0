extension PluginTemplate {
    /// Keeps records by a value.
    static let transform = PluginTemplate(
        module: #"""
            public import Martlet

            /// Keeps the records of which a value is one of a list, and drops the others.
            ///
            /// 1. decode: ``Config``.
            /// 2. validate: the template must compile.
            /// 3. apply: no waiting. A record without the value is its own permanent error.
            public struct __NAME__Transform: Transform {
                public struct Config: ModuleConfig {
                    let value: ConfigText
                    let allowed: [String]

                    public init(from fields: inout ConfigFields) {
                        value = fields.required("value", "What to look at, a template.", example: "${/type}")
                        allowed = fields.required("in", "The values whose records are kept.", example: ["like", "follow"])
                    }
                }

                public static let name = "__TYPE__"
                public static let summary = "Keeps the records of which a value is one of a list."

                private let value: TemplateSet
                private let allowed: Set<String>
                private let payloads: any PayloadReader

                public init?(config: Config, context: ModuleContext) {
                    guard let value = context.template(config.value, allowing: [.record, .header]) else { return nil }
                    self.value = TemplateSet([value])
                    allowed = Set(config.allowed)
                    payloads = context.payloads
                }

                public func apply(to batch: [Record]) async throws -> [TransformResult] {
                    batch.map { record in
                        do throws(ModuleError) {
                            let values = try value.evaluate(TemplateInput(record), with: payloads)
                            return values.allSatisfy { allowed.contains($0.rendered) } ? .keep(record) : .drop
                        } catch {
                            return .fail(error)
                        }
                    }
                }
            }

            """#,
        tests: ##"""
            import __NAME__Plugin
            import Martlet
            import MartletTesting
            import Pipelines
            import Testing

            struct __NAME__TransformTests {
                private func transform(_ json: String) throws -> __NAME__Transform {
                    try TestHost(payloads: SimdjsonPayloadReader()).make(__NAME__Transform.self, json)
                }

                @Test func keepsTheContract() async throws {
                    try await TransformContract.verify(
                        payload: { #"{"type": "\#($0 % 2 == 0 ? "like" : "view")"}"# }, badPayload: "{}",
                        make: { try transform(ReadmeExample.json(of: "__NAME__")) })
                }

                @Test func keepsWhatIsInTheList() async throws {
                    let batch = ["like", "view", "follow"].enumerated().map { number, type in
                        Record(
                            topic: "t", partition: 0, offset: Offset(number),
                            event: Event(id: Bytes("\(number)"), key: nil, payload: Bytes(#"{"type": "\#(type)"}"#), timestamp: 0))
                    }
                    let results = try await transform(ReadmeExample.json(of: "__NAME__")).apply(to: batch)
                    #expect(results.map { if case .keep = $0 { true } else { false } } == [true, false, true])
                }
            }

            """##,
        readme: """
            # __NAME__

            Transform `__TYPE__`: keeps the records of which a value is one of a list, and drops the others.

            ```json
            { "type": "__TYPE__", "value": "${/type}", "in": ["like", "follow"] }
            ```

            | field | |
            |---|---|
            | `value` | what to look at, a template over the record |
            | `in` | the values whose records are kept |

            ## When things fail

            - A record without the value is dead-lettered; `${/type:-none}` gives it one.

            """)
}
