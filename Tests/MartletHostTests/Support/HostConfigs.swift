/// Configs that tests start hosts with.
enum HostConfigs {
    /// One topic, a group that keeps its offsets in a database, and one that keeps them in the log.
    static let items = """
        {
          "databases": { "main": { "type": "sqlite", "path": "main.db", "schema": [
            { "id": "001", "sql": "CREATE TABLE items (id TEXT PRIMARY KEY, name TEXT NOT NULL, n BIGINT NOT NULL CHECK (n < 100))" } ] } },
          "topics": { "items": { "partitions": 2 }, "copy": { "partitions": 1 } },
          "groups": {
            "store": { "topics": ["items"], "sink": { "type": "table", "database": "main", "table": "items",
              "on_conflict": "ignore", "columns": { "id": "${@id}", "name": "${/name}", "n": "${/n}" } } },
            "print": { "topics": ["items"], "sink": { "type": "console" } }
          }
        }
        """

    /// Topics only.
    static let topics = #"{ "topics": { "items": { "partitions": 2 } } }"#
}
