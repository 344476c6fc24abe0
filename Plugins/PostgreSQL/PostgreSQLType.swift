import CPQ

/// Types of PostgreSQL that need care (pg_type.oid, fixed for built-in types).
enum PostgreSQLType {
    static let bool: Oid = 16
    static let bytea: Oid = 17
    static let int8: Oid = 20
    static let int2: Oid = 21
    static let int4: Oid = 23
    static let text: Oid = 25
    static let oid: Oid = 26
    static let json: Oid = 114
    static let float4: Oid = 700
    static let float8: Oid = 701
    static let numeric: Oid = 1700
    static let jsonb: Oid = 3802

    static func isInteger(_ type: Oid) -> Bool { type == int8 || type == int4 || type == int2 || type == oid }
}
