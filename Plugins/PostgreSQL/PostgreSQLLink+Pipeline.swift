import CPQ
import Martlet

/// libpq's pipeline mode: several commands leave at once, and their results come back in order.
extension PostgreSQLLink {
    /// Sends commands without waiting for answers in between and hands each result to `each`, with its command's number.
    /// After a command that fails the server skips the rest.
    ///
    /// - Parameters:
    ///   - count: how many commands; their texts together stay in memory until they are sent.
    ///   - sql: a command's text, for messages.
    ///   - send: queues a command with one of libpq's `PQsend…Prepared` functions; 0 if libpq refuses.
    /// - Throws: the first error, of the server, of `send` or of `each`; transient `postgres.connection_lost`.
    func runPipelined(
        _ count: Int, sql: (Int) -> String, role: ConnectionRole,
        send: (Int, OpaquePointer) throws(ModuleError) -> CInt, each: (Int, OpaquePointer) throws(ModuleError) -> Void
    ) throws(ModuleError) {
        guard !isBroken, PQenterPipelineMode(handle) == 1 else { throw lost(sql(0)) }
        var failure: ModuleError?
        var sent = 0
        do throws(ModuleError) {
            while sent < count {
                guard try send(sent, handle) == 1 else { throw lost(sql(sent)) }
                sent += 1
            }
        } catch {
            failure = error
        }
        if !isBroken, PQpipelineSync(handle) == 1 {
            for number in 0..<sent { try take(number, sql(number), role, &failure, each) }
            try endPipeline(sql(0))
        }
        guard !isBroken, PQexitPipelineMode(handle) == 1 else { throw failure ?? lost(sql(0)) }
        if let failure { throw failure }
    }

    /// Takes the results of one command, up to the nil that ends them.
    private func take(
        _ number: Int, _ sql: String, _ role: ConnectionRole, _ failure: inout ModuleError?,
        _ each: (Int, OpaquePointer) throws(ModuleError) -> Void
    ) throws(ModuleError) {
        // Rows are counted as they come, however many there are.
        PQsetSingleRowMode(handle)
        let limit = answerDeadline
        while let result = try nextResult(sql, until: limit) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY:
                guard failure == nil else { continue }
                do throws(ModuleError) {
                    try each(number, result)
                } catch {
                    failure = error
                    cancel()
                }
            case PGRES_PIPELINE_ABORTED: break
            case PGRES_FATAL_ERROR:
                let found = PostgreSQLFailure(settings, result, sql: sql, role: role)
                if found.endsConnection { isBroken = true }
                // After a cancellation of our own the error says only that.
                if failure == nil { failure = found.isOfServer ? found.error : lost(sql) }
                if isBroken { throw failure ?? lost(sql) }
            default: throw lost(sql)
            }
        }
        if PQstatus(handle) == CONNECTION_BAD { throw failure ?? lost(sql) }
    }

    /// Takes the result that stands for the end of the pipeline.
    private func endPipeline(_ sql: String) throws(ModuleError) {
        guard let result = try nextResult(sql, until: answerDeadline) else { throw lost(sql) }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_PIPELINE_SYNC else { throw lost(sql) }
    }
}
