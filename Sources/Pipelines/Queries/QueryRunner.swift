package import Martlet

/// Serves one configured query over HTTP: rows as a JSON array of objects, columns in the statement's order.
package final class QueryRunner: RouteProviding, Sendable {
    package let name: String
    private let config: QueryConfig
    private let binding: StatementBinding
    private let runner: DatabaseRunner
    private let payloads: any PayloadReader
    private let latency: Histogram

    init(
        name: String, config: QueryConfig, binding: StatementBinding, runner: DatabaseRunner, context: ModuleContext
    ) {
        self.name = name
        self.config = config
        self.binding = binding
        self.runner = runner
        payloads = context.payloads
        latency = context.metrics.histogram(
            "martlet_query_seconds", "Time to answer a query.", labels: [("query", name)])
    }

    package var routes: [Route] {
        [Route(config.method.rawValue, config.path.plain) { [self] exchange in answer(exchange) }]
    }

    private func answer(_ exchange: any HTTPExchange) {
        let started = ContinuousClock.now
        let parameters: [DataValue]
        do throws(ModuleError) {
            let input = TemplateInput(variables: ExchangeVariables(exchange))
            parameters = try binding.parameters.evaluate(input, with: payloads)
        } catch {
            exchange.respond(ProblemDetails(status: 400, title: "Bad Request", detail: error.message).response())
            return
        }
        guard runner.readiness.isReady else {
            let problem = ProblemDetails(
                status: 503, title: "Service Unavailable", detail: "database \(runner.name) is not open; try again shortly")
            return exchange.respond(problem.response(headers: [("Retry-After", "1")]))
        }
        Task {
            exchange.respond(await run(parameters))
            latency.record(.now - started)
        }
    }

    private func run(_ parameters: [DataValue]) async -> HTTPResponse {
        do {
            let result = try await runner.database.query(binding.statement, parameters, limit: config.maxRows)
            return HTTPResponse(
                status: 200, headers: [("Content-Type", "application/json"), ("Cache-Control", "no-store")],
                body: Self.json(result))
        } catch let error as ModuleError where error.kind == .permanent {
            return ProblemDetails(status: 400, title: "Bad Request", detail: error.message).response()
        } catch {
            let detail = (error as? ModuleError)?.message ?? "\(error)"
            return ProblemDetails(status: 503, title: "Service Unavailable", detail: detail)
                .response(headers: [("Retry-After", "1")])
        }
    }

    private static func json(_ result: QueryResult) -> Bytes {
        let names = result.columns.map { JSONText.quoted($0) + ":" }
        var output: [UInt8] = [UInt8(ascii: "[")]
        for (rowNumber, row) in result.rows.enumerated() {
            if rowNumber > 0 { output.append(UInt8(ascii: ",")) }
            output.append(UInt8(ascii: "{"))
            for (index, value) in row.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                output.append(contentsOf: names[index].utf8)
                JSONText.append(value, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
        output.append(contentsOf: "]\n".utf8)
        return Bytes(output)
    }
}
