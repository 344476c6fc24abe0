import CEvent
import Testing

@testable import HTTPServer

/// Work, timers and actors on loops.
struct EventLoopTests {
    private actor Counter {
        private let loop: EventLoop
        private var count = 0

        init(loop: EventLoop) {
            self.loop = loop
        }

        nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

        func add() -> (count: Int, isOnLoop: Bool) {
            count += 1
            return (count, loop.isCurrent)
        }
    }

    private func withLoop(_ body: (EventLoop) async throws -> Void) async throws {
        let group = try EventLoopGroup(count: 1)
        try await body(group.loops[0])
        group.stop()
    }

    @Test func runsWorkInOrderOnItsThread() async throws {
        try await withLoop { loop in
            let seen = Shared<[Int]>([])
            for number in 0..<1000 { loop.execute { seen.update { $0.append(number) } } }
            #expect(await loop.run { loop.isCurrent })
            #expect(seen.current == Array(0..<1000))
            #expect(!loop.isCurrent)
        }
    }

    @Test func runsWorkThatWorkHandsOver() async throws {
        try await withLoop { loop in
            let depth = Shared(0)
            @Sendable func again() {
                depth.update { $0 += 1 }
                if depth.current < 100 { loop.execute(again) }
            }
            loop.execute(again)
            await waitUntil("all hundred have run") { depth.current == 100 }
        }
    }

    @Test func firesTimersInTheirOrderAndNotTheCancelled() async throws {
        try await withLoop { loop in
            let fired = Shared<[String]>([])
            await loop.run {
                loop.schedule(after: .milliseconds(120)) { fired.update { $0.append("late") } }
                loop.schedule(after: .milliseconds(30)) { fired.update { $0.append("early") } }
                loop.schedule(after: .milliseconds(30)) { fired.update { $0.append("cancelled") } }.cancel()
            }
            await waitUntil("both fired") { fired.current.count == 2 }
            #expect(fired.current == ["early", "late"])
        }
    }

    @Test func isAnExecutorForActors() async throws {
        try await withLoop { loop in
            let counter = Counter(loop: loop)
            for expected in 1...100 { #expect(await counter.add() == (expected, true)) }
        }
    }

    @Test func dropsWorkAfterItStopped() async throws {
        let group = try EventLoopGroup(count: 2)
        group.stop()
        let ran = Shared(false)
        group.loops[1].execute { ran.update { $0 = true } }
        #expect(!ran.current)
        #expect(group.loops.map(\.index) == [0, 1])
    }

    @Test func sweepsOnlyWhatHasPassed() {
        final class Owner: DeadlineOwner {
            func deadlineReached() {}
        }
        var table = DeadlineTable()
        let owners = (0..<4).map { _ in Owner() }
        let slots = owners.map { table.add($0) }
        for (slot, ms) in zip(slots, [50, 10, 30, 20] as [UInt64]) { table.set(slot, atMs: ms) }
        table.set(slots[3], atMs: 40)
        table.remove(slots[1])
        #expect(table.earliestMs == 10)
        #expect(table.takeExpired(nowMs: 9).isEmpty)
        #expect(table.takeExpired(nowMs: 39).map { ObjectIdentifier($0) } == [ObjectIdentifier(owners[2])])
        #expect(table.earliestMs == 40)
        #expect(table.add(owners[1]) == slots[1])
        #expect(table.takeExpired(nowMs: 1000).map { ObjectIdentifier($0) } == [ObjectIdentifier(owners[3]), ObjectIdentifier(owners[0])])
        #expect(table.earliestMs == .max)
    }

    @Test func formatsDates() {
        var header = DateHeader()
        header.refresh(second: 784_111_777)
        #expect(String(decoding: header.line, as: UTF8.self) == "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
    }
}
