import Foundation
import Glibc
import Martlet
import MartletTesting
import SSEPlugin
import Synchronization

/// What has come out of a pipe so far.
final class OutputReader: Sendable {
    private let handle: FileHandle
    private let text = Mutex("")

    init(_ handle: FileHandle) {
        self.handle = handle
        _ = fcntl(handle.fileDescriptor, F_SETFL, O_NONBLOCK)
    }

    func lines() -> [String] {
        text.withLock { text in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(handle.fileDescriptor, &buffer, buffer.count)
                guard count > 0 else { break }
                text += String(decoding: buffer[..<count], as: UTF8.self)
            }
            return text.split(separator: "\n").map(String.init)
        }
    }
}

/// The channel with loops that run while it is drained or closed.
final class SSEOnLoops: DeliveryChannel, RouteProviding {
    static let name = "sse_on_loops"
    static let summary = "For tests."
    let loops: ManualLoops
    private let channel: SSEChannel

    init(_ channel: SSEChannel, _ loops: ManualLoops) {
        self.channel = channel
        self.loops = loops
    }

    init?(config: NoConfig, context: ModuleContext) { nil }

    var routes: [Route] { channel.routes }
    func open(replay: (any MessageReplay)?) async throws { try await channel.open(replay: replay) }
    func deliver(_ messages: [Message]) async throws -> WriteResult { try await channel.deliver(messages) }
    func drain(within grace: Duration) async { await running { await self.channel.drain(within: grace) } }
    func close() async { await running { await self.channel.close() } }

    private func running(_ body: () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            let done = Flag()
            group.addTask { [loops] in
                while !done.isSet {
                    loops.advance(by: .milliseconds(10))
                    await Task.yield()
                }
            }
            await body()
            done.set()
        }
    }

    private final class Flag: Sendable {
        private let flag = Atomic(false)
        var isSet: Bool { flag.load(ordering: .acquiring) }
        func set() { flag.store(true, ordering: .releasing) }
    }
}
