import Synchronization

/// The pools in use, by program: groups with the same program share its compiled copies, and a config that is read again
/// compiles only what is new.
enum JQPools {
    private struct Entry {
        weak var pool: JQPool?
    }

    private static let entries = Mutex<[String: Entry]>([:])

    /// The program's pool; compiles it if nobody has it yet.
    static func pool(_ source: JQSource) throws(JQProgram.CompileError) -> JQPool {
        let text = source.text
        if let pool = entries.withLock({ $0[text]?.pool }) { return pool }
        let made = try JQPool(source)
        return entries.withLock { entries in
            // Another thread may have been faster.
            if let pool = entries[text]?.pool { return pool }
            entries = entries.filter { $0.value.pool != nil }
            entries[text] = Entry(pool: made)
            return made
        }
    }
}
