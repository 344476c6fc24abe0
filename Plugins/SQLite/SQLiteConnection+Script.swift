import CSQLite
import Martlet

extension SQLiteConnection {
    /// Runs the statements of a schema step, one after the other, inside the current transaction.
    func runScript(_ sql: String, step: String) throws(ModuleError) {
        var sql = sql
        let failure: ModuleError? = sql.withUTF8 { bytes in
            var offset = 0
            while offset < bytes.count {
                let start = UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped + offset).assumingMemoryBound(to: CChar.self)
                var statement: OpaquePointer?
                var tail: UnsafePointer<CChar>?
                var code = sqlite3_prepare_v2(rawHandle, start, CInt(clamping: bytes.count - offset), &statement, &tail)
                let text = String(decoding: bytes[offset..<(tail.map { offset + ($0 - start) } ?? bytes.count)], as: UTF8.self)
                if code == SQLITE_OK, statement != nil {
                    repeat { code = sqlite3_step(statement) } while code == SQLITE_ROW
                    if code == SQLITE_DONE { code = SQLITE_OK }
                }
                let failed = code == SQLITE_OK ? nil : stepFailure(step, text, code)
                sqlite3_finalize(statement)
                if let failed { return failed }
                if hasLostTransaction {
                    return .blocked("database.schema_step", "database `\(settings.name)`: schema step `\(step)` ends the transaction it runs in: \(sqlExcerpt(text))")
                }
                guard let tail, tail > start else { return nil }
                offset += tail - start
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// A step's failure never is a record's fault: transient stays, everything else is the operator's to mend.
    private func stepFailure(_ step: String, _ sql: String, _ code: CInt) -> ModuleError {
        let error = SQLiteFailure(database: settings, handle: rawHandle, code: code, sql: sql).stepError
        if error.kind == .transient { return error }
        return .blocked("database.schema_step", "schema step `\(step)` failed and was rolled back: \(error.message)")
    }
}
