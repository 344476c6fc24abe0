import CPQ
import Martlet

/// How rows of one ``RowInsert`` are sent: a column of values is one array, and the server unnests the arrays.
struct PostgreSQLInsert: Sendable {
    /// A column's array.
    struct Column: Sendable {
        let name: String
        let element: PostgreSQLArray.Element
        /// The column's own type, for messages.
        let type: String
    }

    let sql: String
    let columns: [Column]
    /// Whether rows that are there are updated.
    let isUpdate: Bool
    /// The indices of the columns that `update` matches on.
    let keys: [Int]

    /// - Parameter types: for each column of the insert, in order: name, type's oid, its name, its category.
    init(_ insert: RowInsert, types: [(oid: Oid, name: String, category: String)]) {
        var values: [String] = []
        var columns: [Column] = []
        for (index, type) in types.enumerated() {
            let element = PostgreSQLArray.Element(type: type.oid)
            // Text goes to text columns as it is, so that too long a value is an error and is not cut by a cast.
            let mustCast = element == .text && type.category != "S"
            values.append("unnest($\(index + 1)::\(element.arrayType))\(mustCast ? "::\(type.name)" : "")")
            columns.append(Column(name: insert.columns[index], element: element, type: type.name))
        }
        // Not `FROM unnest(…)`, for which the server keeps all rows aside before it inserts the first one.
        sql = insert.text(source: "SELECT \(values.joined(separator: ", "))")
        self.columns = columns
        isUpdate = insert.onConflict == .update
        keys = insert.conflictColumns.compactMap { insert.columns.firstIndex(of: $0) }
    }

    /// The rows with, of those that `update` would meet twice, only the last: PostgreSQL updates no row twice in one statement.
    func withoutRepeats(_ rows: [[DataValue]]) -> [[DataValue]] {
        var places: [[DataValue]: Int] = [:]
        var kept: [[DataValue]] = []
        for row in rows {
            let key = keys.map { row[$0] }
            if let place = places[key] {
                kept[place] = row
            } else {
                places[key] = kept.count
                kept.append(row)
            }
        }
        return kept
    }
}
