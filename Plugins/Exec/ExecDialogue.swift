import Martlet

/// What is said with a process after the greeting; one for each kind of module. All calls come from the process's thread.
protocol ExecDialogue: Sendable {
    /// `sink`, `source` or `transform`, as the greeting says it.
    var kind: String { get }

    /// The process has answered the greeting.
    func start(_ greeting: ExecGreeting)

    /// Takes a message. Throws if the process does not keep to the protocol, which ends it.
    func receive(_ message: ExecMessage) throws(ModuleError)

    /// What is to be written now, lines without their ends.
    func takeOutgoing(at now: ContinuousClock.Instant) -> [[UInt8]]

    /// Whether the process's output is to be read now.
    func wantsMessages(at now: ContinuousClock.Instant) -> Bool

    /// When the process will have been too slow.
    var deadline: ContinuousClock.Instant? { get }

    /// Nothing new is begun any more; told once.
    func stop()

    /// Whether something is still to be written or answered before the process's input is closed.
    var isBusy: Bool { get }

    /// The process is gone, or none could be started. What it had not answered fails.
    func end(_ error: ModuleError)
}

/// The process's answer to the greeting.
struct ExecGreeting: Sendable {
    /// The version of the protocol that this host speaks.
    static let version: Int64 = 1

    let capabilities: Set<String>
    /// Several batches may be sent before the first is answered.
    var canPipeline: Bool { capabilities.contains("pipeline") }
}
