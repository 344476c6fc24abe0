import Foundation
import LogSimulator
import Testing

@Suite struct SimulatorTests {
    /// More histories: `LOG_HISTORIES=5000 swift test --filter SimulatorTests`.
    @Test func noHistoryBreaksAPromise() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["LOG_HISTORIES"].flatMap(UInt64.init) ?? 60
        let first = environment["LOG_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1_000_000_000)
        print("seeds \(first) to \(first + count - 1)")
        for seed in first..<(first + count) { try LogSimulator.run(seed: seed) }
    }

    @Test func noCrashAtAnyChangeBreaksAPromise() throws {
        let changes = try LogSimulator.crashAtEachChange(seed: 5, steps: 20)
        #expect(changes > 60)
    }

    @Test(arguments: PlantedBug.allCases)
    func plantedBugIsFound(bug: PlantedBug) {
        #expect(LogSimulator.historiesToFind(bug, limit: 20) != nil)
    }
}
