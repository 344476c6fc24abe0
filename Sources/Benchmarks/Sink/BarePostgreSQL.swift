import CPQ

/// The least that libpq can do for the rows: a prepared insert that unnests binary arrays, one a batch, each one round trip and a
/// transaction of its own, committed as durably as the group's on the same server. It has the ids, in their order, and the values
/// in memory, and moves no offset: what the group's transaction does besides (BEGIN, the offset's UPDATE, COMMIT) is not in it.
struct BarePostgreSQL {
    /// How the arrays become rows.
    enum Select: String, CaseIterable {
        /// As PostgreSQL's manual has it.
        case from = "bare libpq, unnest"
        /// As the group does.
        case own = "bare libpq, own insert"

        fileprivate var sql: String {
            switch self {
            case .from: "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])"
            case .own: "SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::bigint[])"
            }
        }
    }

    private let handle: OpaquePointer

    init(_ url: String) throws(BenchmarkError) {
        guard let handle = PQconnectdb(url) else { throw BenchmarkError("libpq got no memory") }
        self.handle = handle
        guard PQstatus(handle) == CONNECTION_OK else { throw failure() }
    }

    /// Makes the table, and prepares the insert.
    func prepare(_ select: Select) throws(BenchmarkError) {
        try take(PQexec(handle, SinkRows.table))
        let sql = "INSERT INTO notifications (id, recipient, text, created_at) \(select.sql) ON CONFLICT DO NOTHING"
        try take(PQprepare(handle, "insert", sql, 0, nil))
    }

    /// Inserts the rows; returns the seconds that it took. The arrays are made in the loop, as any program has to.
    func insert(_ rows: SinkRows) throws(BenchmarkError) -> Double {
        let (recipient, text) = (Array(SinkRows.recipient.utf8), Array(SinkRows.text.utf8))
        let createdAt = withUnsafeBytes(of: rows.createdAt.bigEndian) { Array($0) }
        var arrays = [[UInt8]](repeating: [], count: 4)
        let start = MonotonicClock.now
        for first in stride(from: 0, to: rows.ids.count, by: SinkRows.batch) {
            let range = first..<min(first + SinkRows.batch, rows.ids.count)
            for (column, type) in [25, 25, 25, 20].enumerated() { Self.begin(&arrays[column], type: Int32(type), count: range.count) }
            for index in range {
                Self.append(rows.ids[index], to: &arrays[0])
                Self.append(recipient, to: &arrays[1])
                Self.append(text, to: &arrays[2])
                Self.append(createdAt, to: &arrays[3])
            }
            try take(execute(arrays))
        }
        return Double(MonotonicClock.now - start) / 1e9
    }

    /// The first value of a statement's first row.
    func value(_ sql: String) throws(BenchmarkError) -> String {
        guard let result = PQexec(handle, sql) else { throw failure() }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK: return ""
        case PGRES_TUPLES_OK where PQntuples(result) > 0: return PQgetvalue(result, 0, 0).map { String(cString: $0) } ?? ""
        default: throw failure()
        }
    }

    func close() {
        PQfinish(handle)
    }

    // The binary format of arrays: dimensions, has nulls, type, count, lower bound; then each element behind its length.

    private static func begin(_ array: inout [UInt8], type: Int32, count: Int) {
        array.removeAll(keepingCapacity: true)
        for number in [1, 0, type, Int32(count), 1] { append(number, to: &array) }
    }

    private static func append(_ element: [UInt8], to array: inout [UInt8]) {
        append(Int32(element.count), to: &array)
        array.append(contentsOf: element)
    }

    private static func append(_ number: Int32, to array: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { array.append(contentsOf: $0) }
    }

    private func execute(_ arrays: [[UInt8]]) -> OpaquePointer? {
        let (lengths, formats) = (arrays.map { CInt($0.count) }, arrays.map { _ in CInt(1) })
        var pointers: [UnsafePointer<CChar>?] = []
        func send(_ index: Int) -> OpaquePointer? {
            guard index < arrays.count else { return PQexecPrepared(handle, "insert", CInt(arrays.count), pointers, lengths, formats, 0) }
            return arrays[index].withUnsafeBytes { bytes in
                pointers.append(bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
                return send(index + 1)
            }
        }
        return send(0)
    }

    private func take(_ result: OpaquePointer?) throws(BenchmarkError) {
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else { throw failure() }
    }

    private func failure() -> BenchmarkError {
        BenchmarkError("PostgreSQL: \(String(cString: PQerrorMessage(handle)))")
    }
}
