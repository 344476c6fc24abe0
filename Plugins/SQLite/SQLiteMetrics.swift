import Martlet

/// The metrics of a `sqlite` database.
struct SQLiteMetrics: Sendable {
    let transactions: Counter
    let failures: Counter
    let duration: Histogram
    let queries: Counter

    init(database: String, in registry: MetricsRegistry) {
        let labels = [("database", database)]
        transactions = registry.counter(
            "martlet_database_transactions_total", "Transactions that were committed.", labels: labels)
        failures = registry.counter(
            "martlet_database_transaction_failures_total", "Transactions that were rolled back.", labels: labels)
        duration = registry.histogram(
            "martlet_database_transaction_seconds", "Time from a transaction's begin to its commit.", labels: labels)
        queries = registry.counter("martlet_database_queries_total", "Queries that were run.", labels: labels)
    }
}
