import Foundation
import TestSupport

/// How long servers stay away: shorter than an operator would wait, unless MARTLET_FULL_FAULTS is set.
enum Outage {
    static let length: Duration = ProcessInfo.processInfo.environment["MARTLET_FULL_FAULTS"] == nil ? .seconds(6) : .seconds(20)

    /// Returns when the outage has lasted long enough.
    static func pass() async throws {
        let end = ContinuousClock.now + length
        try await eventually("the end of the outage") { ContinuousClock.now >= end }
    }
}
