/// Errors that mean the same on every backend.
package enum DatabaseError {
    /// The commit's answer was lost: the transaction may have been committed or not. Transient; a transactional sink looks
    /// at its stored offset before it tries again.
    package static let commitUncertainCode = "database.commit_uncertain"

    /// A bounded queue of the database is full.
    package static func overloaded(_ name: String, _ setting: String, _ limit: Int) -> ModuleError {
        .transient(
            "database.overloaded",
            "database `\(name)` is overloaded: \(limit) jobs wait already (`\(setting)`); try again later", retryAfter: .seconds(1))
    }

    /// The database was not opened yet, or is closed.
    package static func notOpen(_ name: String) -> ModuleError {
        .transient("database.not_open", "database `\(name)` is not open", retryAfter: .seconds(1))
    }

    /// A statement ran longer than allowed.
    package static func timeout(_ name: String, _ setting: String, _ milliseconds: Int, _ sql: String) -> ModuleError {
        .transient(
            "database.timeout",
            "database `\(name)`: the statement ran longer than \(milliseconds) ms (`\(setting)`) and was stopped; an index may "
                + "help, or a higher limit: \(sqlExcerpt(sql))")
    }

    /// A statement returned more than is held in memory.
    package static func tooLarge(_ name: String, _ limit: String, _ sql: String) -> ModuleError {
        .blocked(
            "database.result_too_large",
            "database `\(name)`: the result exceeds \(limit); let the statement return less (LIMIT, fewer columns): "
                + sqlExcerpt(sql))
    }

    /// What a transaction's body threw, as the runtime's error.
    package static func body(_ error: any Error, _ name: String) -> ModuleError {
        if let error = error as? ModuleError { return error }
        if error is CancellationError { return .transient("database.cancelled", "database `\(name)`: the transaction was cancelled") }
        return .blocked("database.body_failed", "database `\(name)`: the transaction's body failed: \(error)")
    }
}

/// Limits on what a statement may return.
package enum ResultLimits {
    /// Rows of one statement inside a transaction.
    package static let rows = 100_000
    /// Bytes of text and blobs of one result.
    package static let bytes = 256 << 20
}
