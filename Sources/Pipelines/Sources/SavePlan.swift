import Martlet

/// A source's compiled block `save`.
struct SavePlan: Sendable {
    let binding: StatementBinding
    let outbox: Outbox
}
