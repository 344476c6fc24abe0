import CPQ
import Martlet

/// Rows as they are sent: for each column an array.
struct PostgreSQLRows: Sendable {
    /// The insert that unnests the arrays.
    let sql: String
    private let arrays: [PostgreSQLArray]

    /// - Throws: permanent, `postgres.value`, for a value that its column cannot take.
    init(_ rows: [[DataValue]], _ plan: PostgreSQLInsert, database: String) throws(ModuleError) {
        let rows = plan.isUpdate ? plan.withoutRepeats(rows) : rows
        var arrays: [PostgreSQLArray] = []
        arrays.reserveCapacity(plan.columns.count)
        for (index, column) in plan.columns.enumerated() {
            var array = PostgreSQLArray()
            try array.set(rows, column: index, column, database: database)
            arrays.append(array)
        }
        sql = plan.sql
        self.arrays = arrays
    }

    /// Sends the insert, prepared under that name; 0 if libpq refuses.
    func send(_ statement: String, on handle: OpaquePointer) -> CInt {
        var pointers: [UnsafePointer<CChar>?] = []
        func send(_ index: Int) -> CInt {
            guard index < arrays.count else {
                let lengths = arrays.map { CInt($0.bytes.count) }
                let formats = arrays.map { _ in CInt(1) }
                return PQsendQueryPrepared(handle, statement, CInt(arrays.count), pointers, lengths, formats, 0)
            }
            return arrays[index].bytes.withUnsafeBytes { bytes in
                pointers.append(bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
                return send(index + 1)
            }
        }
        return send(0)
    }
}
