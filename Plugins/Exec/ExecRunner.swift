import Martlet
import Synchronization

/// Opens and closes the keeper of one module's process. A keeper is used once: each try to open makes a new one.
final class ExecRunner: Sendable {
    private let settings: ExecSettings
    private let services: ExecServices
    private let current = Mutex<ExecProcess?>(nil)

    init(_ settings: ExecSettings, services: ExecServices) {
        self.settings = settings
        self.services = services
    }

    /// Starts the process; throws why it did not answer the greeting.
    func open(_ dialogue: any ExecDialogue) async throws {
        let process = try ExecProcess(settings, dialogue: dialogue, services: services)
        do {
            try await process.open()
        } catch {
            await process.close()
            throw error
        }
        current.withLock { $0 = process }
    }

    /// The running keeper; throws before `open` and after `close`.
    func process() throws(ModuleError) -> ExecProcess {
        guard let process = current.withLock({ $0 }) else { throw ExecFailure.closed }
        return process
    }

    /// Ends the process, if there is one.
    func close() async {
        let process = current.withLock { current in
            defer { current = nil }
            return current
        }
        await process?.close()
    }
}
