/// The metrics that every database has.
package struct DatabaseMetrics: Sendable {
    package let transactions: Counter
    package let failures: Counter
    package let duration: Histogram
    package let queries: Counter
    package let connections: Counter

    package init(database: String, in registry: MetricsRegistry) {
        let labels = [("database", database)]
        transactions = registry.counter(
            "martlet_database_transactions_total", "Transactions that were committed.", labels: labels)
        failures = registry.counter(
            "martlet_database_transaction_failures_total", "Transactions that were rolled back.", labels: labels)
        duration = registry.histogram(
            "martlet_database_transaction_seconds", "Time from a transaction's begin to its commit.", labels: labels)
        queries = registry.counter("martlet_database_queries_total", "Queries that were run.", labels: labels)
        connections = registry.counter(
            "martlet_database_connections_total", "Connections that were made, again ones included.", labels: labels)
    }
}
