import Foundation
import Martlet
import Pipelines
import TestSupport
import Testing

@testable import MartletHost

/// `${@claim.NAME}` in the platform's templates of a source that knows nothing of callers.
struct ClaimVariablesTests {
    /// A source with routes, such as a plugin brings, whose variables are always the same.
    private final class PlainSource: EventSource, RouteProviding {
        struct Config: ModuleConfig {
            init(from fields: inout ConfigFields) {}
        }

        static let name = "plain"
        static let summary = "A source of this test."
        let templateVariables: Set<TemplateVariableKind> = [.header]

        init?(config: Config, context: ModuleContext) {}

        var routes: [Route] { [Route("POST", "/plain") { $0.respond(HTTPResponse(status: 204)) }] }
        func open(intake: any Intake) async throws {}
        func close() async {}
    }

    private func report(_ source: String) throws -> String {
        let folder = try TemporaryFolder()
        let text = #"""
            { "auth": { "users": { "type": "api_key", "keys": [{ "name": "a", "key": "0123456789abcdef" }] } },
              "topics": { "t": {} }, "sources": { "s": { "type": "plain", \#(source) } } }
            """#
        try text.write(toFile: folder.path + "/config.json", atomically: true, encoding: .utf8)
        var registry = try StandardModules.registry()
        try registry.register(source: PlainSource.self)
        let (_, problems) = Host.make(configPath: folder.path + "/config.json", overrides: [], registry: registry, logger: .silent)
        return problems.text
    }

    @Test func callersOfferTheirClaims() throws {
        #expect(try report(#""auth": "users", "publish": { "topic": "t", "key": "${@claim.sub}" }"#) == "")
        #expect(try report(#""auth": "users", "publish": { "topic": "t", "key": "${@path.x}" }"#).contains("`${@path.x}` has no value here"))
        #expect(try report(#""publish": { "topic": "t", "key": "${@claim.sub}" }"#).contains("`${@claim.sub}` has no value here"))
    }
}
