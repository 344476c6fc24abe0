import Glibc
import Pipelines

/// The thread that reads signal numbers from a pipe.
final class SignalThread: Sendable {
    private let descriptor: Int32
    private let receive: @Sendable (Int32) -> Void

    private init(descriptor: Int32, receive: @escaping @Sendable (Int32) -> Void) {
        self.descriptor = descriptor
        self.receive = receive
    }

    /// Starts the thread, which lives as long as the process.
    static func start(reading descriptor: Int32, _ receive: @escaping @Sendable (Int32) -> Void) throws {
        let thread = SignalThread(descriptor: descriptor, receive: receive)
        var id = pthread_t()
        let code = pthread_create(&id, nil, { argument in
            guard let argument else { return nil }
            Unmanaged<SignalThread>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, Unmanaged.passRetained(thread).toOpaque())
        guard code == 0 else { throw HostError("cannot start the signal thread: \(String(cString: strerror(code)))") }
    }

    private func run() {
        var requestsToStop = 0
        while true {
            var byte: UInt8 = 0
            guard read(descriptor, &byte, 1) == 1 else { continue }
            let number = Int32(byte)
            if number != SIGHUP {
                requestsToStop += 1
                // The second request to stop does not wait for the first one to be done.
                if requestsToStop > 1 { _exit(1) }
            }
            receive(number)
        }
    }
}
