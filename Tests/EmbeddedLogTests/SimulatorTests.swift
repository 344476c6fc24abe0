import Foundation
import LogSimulator
import Testing

@Suite struct SimulatorTests {
    /// Half of them on each of two threads; the same ones each time, so that a change is judged by its own merits.
    /// Others: `LOG_SEED=5000 LOG_HISTORIES=9000 swift test --filter SimulatorTests`, or `martlet log simulate`, which takes
    /// a random seed.
    @Test func noHistoryBreaksAPromise() async throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["LOG_HISTORIES"].flatMap(UInt64.init) ?? 2_000
        let first = environment["LOG_SEED"].flatMap(UInt64.init) ?? 1
        print("seeds \(first) to \(first + count - 1)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for half in 0..<UInt64(2) {
                group.addTask { for seed in stride(from: first + half, to: first + count, by: 2) { try LogSimulator.run(seed: seed) } }
            }
            try await group.waitForAll()
        }
    }

    @Test func noCrashAtAnyChangeBreaksAPromise() throws {
        let changes = try LogSimulator.crashAtEachChange(seed: 5, steps: 60)
        #expect(changes > 60)
    }

    @Test(arguments: PlantedBug.allCases)
    func plantedBugIsFound(bug: PlantedBug) {
        #expect(LogSimulator.historiesToFind(bug, limit: 20) != nil)
    }
}
