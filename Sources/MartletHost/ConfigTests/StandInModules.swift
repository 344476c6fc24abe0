import Martlet

/// The config of modules that no config names.
struct StandInConfig: ModuleConfig {
    init(from fields: inout ConfigFields) {}
}

/// Keeps what a sink would have written.
final class RecordingSink: Sink {
    static let name = "recorder"
    static let summary = "Keeps records for a config test."
    let hasAtomicBatches = false
    private let group: String
    private let recorder: ConfigTestRecorder

    init(group: String, recorder: ConfigTestRecorder) {
        self.group = group
        self.recorder = recorder
    }

    init?(config: StandInConfig, context: ModuleContext) { nil }

    func open() async throws {}
    func write(_ batch: [Record]) async throws -> WriteResult {
        recorder.add(batch, toSink: group)
        return .handled
    }
    func close() async {}
}

/// Keeps what a channel would have delivered.
final class RecordingChannel: DeliveryChannel {
    static let name = "recorder"
    static let summary = "Keeps messages for a config test."
    private let channel: String
    private let recorder: ConfigTestRecorder

    init(channel: String, recorder: ConfigTestRecorder) {
        self.channel = channel
        self.recorder = recorder
    }

    init?(config: StandInConfig, context: ModuleContext) { nil }

    func open(replay: (any MessageReplay)?) async throws {}
    func deliver(_ messages: [Message]) async throws -> WriteResult {
        recorder.add(messages, toChannel: channel)
        return .handled
    }
    func close() async {}
}

/// Brings in what a config test gives it.
final class WaitingSource: EventSource {
    static let name = "recorder"
    static let summary = "Takes inputs of a config test."
    let templateVariables: Set<TemplateVariableKind>
    private let source: String
    private let recorder: ConfigTestRecorder

    /// - Parameter templateVariables: those of the source that this one stands for.
    init(source: String, templateVariables: Set<TemplateVariableKind>, recorder: ConfigTestRecorder) {
        self.source = source
        self.templateVariables = templateVariables
        self.recorder = recorder
    }

    init?(config: StandInConfig, context: ModuleContext) { nil }

    func open(intake: any Intake) async throws { recorder.open(source, intake) }
    func close() async {}
}

/// A bus in this process that keeps what is published.
final class RecordingBus: PubSub {
    static let name = "recorder"
    static let summary = "Keeps messages of a bus for a config test."
    private let name: String
    private let bus: any PubSub
    private let recorder: ConfigTestRecorder

    init(name: String, bus: any PubSub, recorder: ConfigTestRecorder) {
        self.name = name
        self.bus = bus
        self.recorder = recorder
    }

    init?(config: StandInConfig, context: ModuleContext) { nil }

    func open() async throws { try await bus.open() }
    func publish(_ messages: [Message], to channel: String) async throws {
        try await bus.publish(messages, to: channel)
        recorder.add(messages, on: channel, of: name)
    }
    func subscribe(to channel: String, _ receive: @escaping @Sendable (Delivery) -> Void) async throws -> Subscription {
        try await bus.subscribe(to: channel, receive)
    }
    func close() async { await bus.close() }
}
