import Martlet
import Synchronization

/// What connections have learned of the tables that rows are inserted into, for those who make rows ready elsewhere. A
/// connection checks it before it sends them.
final class PostgreSQLPlans: Sendable {
    /// Plans that are kept.
    static let limit = 64

    private let plans = Mutex<[RowInsert: PostgreSQLInsert]>([:])

    subscript(insert: RowInsert) -> PostgreSQLInsert? {
        plans.withLock { $0[insert] }
    }

    func learned(_ plan: PostgreSQLInsert, _ insert: RowInsert) {
        plans.withLock { plans in
            if plans.count >= Self.limit { plans = [:] }
            plans[insert] = plan
        }
    }
}
