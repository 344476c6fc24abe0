package import Martlet

/// Takes events from a process of any language, as lines of JSON from its standard output; see the plugin's README.
///
/// 1. decode: ``ExecSourceConfig``.
/// 2. validate: nothing more.
/// 3. open: starts the process; returns once it has answered the greeting.
/// 4. work: a line of events in, a line with a result for each out, once the log or the database has them. While too many are
///    under way nothing is read.
/// 5. close: events under way are answered, then as in ``ExecSink``.
package final class ExecSource: EventSource {
    package typealias Config = ExecSourceConfig

    package static let name = "exec"
    package static let summary = "Takes events from a process of any language, as lines of JSON from its standard output."

    private let runner: ExecRunner
    private let services: ExecServices
    private let limit: Int

    package init?(config: Config, context: ModuleContext) {
        services = ExecServices(context, kind: "source")
        runner = ExecRunner(config.process, services: services)
        limit = config.maxInFlightEvents
    }

    package var templateVariables: Set<TemplateVariableKind> { [.header] }

    package func open(intake: any Intake) async throws {
        let intakeDialogue = ExecIntake(intake: intake, limit: limit, services: services)
        try await runner.open(intakeDialogue)
        let process = try runner.process()
        intakeDialogue.whenAnswered { process.wake() }
    }

    package func close() async {
        await runner.close()
    }
}
