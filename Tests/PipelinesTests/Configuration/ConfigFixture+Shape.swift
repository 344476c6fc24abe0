extension ConfigFixture {
    /// What the reader and the field declarations refuse.
    static let shape: [ConfigFixture] = [
        ConfigFixture(
            "unknown key", [(#""retention_hours""#, #""retentoin_hours""#)],
            #"""
                config.json:12:43: topics.likes.retentoin_hours: unknown key `retentoin_hours`; did you mean `retention_hours`?
                  valid keys: partitions, retention_hours, retention_bytes, segment_bytes, cleanup, compression, deduplicate, schema
                """#),
        ConfigFixture(
            "unknown key of a module", [(#""table": "likes", "columns""#, #""tabel": "likes", "columns""#)],
            #"""
                config.json:29:15: groups.store.sink: missing required key `table`
                  table: string, for example "table": "notifications"
                config.json:29:54: groups.store.sink.tabel: unknown key `tabel`; did you mean `table`?
                  valid keys: type, database, table, columns, on_conflict, conflict_columns
                """#),
        ConfigFixture(
            "unknown block", [(#""queries": {"#, #""querys": {"#)],
            #"""
                config.json:45:3: querys: unknown key `querys`; did you mean `queries`?
                  valid keys: plugins, host, log, auth, databases, pubsub, topics, sources, groups, channels, queries
                """#),
        ConfigFixture(
            "duplicate key", [(#""path": "/likes","#, "\"path\": \"/likes\",\n      \"path\": \"/like\",")],
            #"""
                config.json:17:7: sources.likes.path: duplicate key `path`
                  it is first at line 16, column 7
                """#),
        ConfigFixture(
            "duplicate group", [(#""push": {"#, #""store": {"#)],
            #"""
                config.json:31:5: groups.store: duplicate key `store`
                  it is first at line 26, column 5
                config.json:42:28: channels.stream.replay.group: unknown group `push`
                  groups: store
                """#),
        ConfigFixture(
            "wrong type", [(#""partitions": 4"#, #""partitions": "four""#)],
            #"config.json:12:40: topics.likes.partitions: must be an integer, found "four""#),
        ConfigFixture(
            "wrong type of a module's field", [(#""table": "likes""#, #""table": ["likes"]"#)],
            #"config.json:29:63: groups.store.sink.table: must be a string, found a list"#),
        ConfigFixture(
            "out of range", [(#""partitions": 4"#, #""partitions": 0"#)],
            #"config.json:12:40: topics.likes.partitions: must be from 1 to 1024, found 0"#),
        ConfigFixture(
            "unknown choice", [(#""acknowledge": "fsync""#, #""acknowledge": "fsink""#)],
            #"""
                config.json:3:27: log.acknowledge: unknown value "fsink"
                  valid values: "fsync", "written"
                """#),
        ConfigFixture(
            "unknown compression", [(#""partitions": 4"#, #""compression": "gzip""#)],
            #"""
                config.json:12:41: topics.likes.compression: unknown value "gzip"
                  valid values: "none", "lz4", "zstd"
                """#),
        ConfigFixture(
            "window of event ids", [(#""partitions": 4"#, #""deduplicate": { "window_events": 0, "window_hours": 2 }"#)],
            #"""
                config.json:12:60: topics.likes.deduplicate.window_events: must be from 1 to 1000000 events, found 0
                config.json:12:63: topics.likes.deduplicate.window_hours: unknown key `window_hours`; did you mean `window_events`?
                  valid keys: window_events, window_seconds
                """#),
        ConfigFixture(
            "missing key", [("\"path\": \"/likes\",\n", #""#)],
            #"""
                config.json:14:14: sources.likes: missing required key `path`
                  path: string, for example "path": "/likes"
                """#),
        ConfigFixture(
            "missing env", [(#""data/main.db""#, #""${env:MARTLET_TEST_UNSET}/main.db""#)],
            #"""
                config.json:7:16: databases.main.path: the environment variable `MARTLET_TEST_UNSET` is not set
                  set it, or give a default: ${env:MARTLET_TEST_UNSET:-default}
                """#),
        ConfigFixture(
            "missing file", [(#""data/main.db""#, #""${file:no-such-secret}""#)],
            #"config.json:7:16: databases.main.path: the file `no-such-secret` cannot be read: No such file or directory"#),
        ConfigFixture(
            "unknown module type", [(#""type": "table""#, #""type": "tabel""#)],
            #"""
                config.json:29:25: groups.store.sink.type: unknown sink type `tabel`; did you mean `table`?
                  valid types: pubsub, console, exec, http, file, redis, table, sql
                """#),
        ConfigFixture(
            "unknown database type", [(#""type": "sqlite""#, #""type": "mysql""#)],
            #"""
                config.json:6:15: databases.main.type: unknown database type `mysql`
                  valid types: sqlite, postgres
                """#),
        ConfigFixture(
            "no type", [(#""type": "jq", "#, #""#)],
            #"config.json:28:22: groups.store.transforms[0]: missing required key `type`, which names the transform"#),
        ConfigFixture(
            "bad JSON: missing comma", [(#""pubsub": { "bus": { "type": "memory" } },"#, #""pubsub": { "bus": { "type": "memory" } }"#)],
            #"config.json:12:3: expected `,` or `}` after this value, found `"`"#),
        ConfigFixture(
            "bad JSON: trailing comma", [(#""parameters": { "user": "${@path.user}" }"#, #""parameters": { "user": "${@path.user}" },"#)],
            #"""
                config.json:51:5: queries.list: expected a key in double quotes after the comma, found `}`
                  JSON allows no comma after the last value
                """#),
        ConfigFixture(
            "bad JSON: comment", [(#""log": {"#, "// the engine\n  \"log\": {")],
            #"""
                config.json:3:3: expected a key in double quotes after the comma, found `/`
                  JSON has no comments; put the text in a "description" key
                """#),
        ConfigFixture(
            "bad JSON: cut off", [("{ \"user\": \"${@path.user}\" }\n    }\n  }\n}", #"{ "user":"#)],
            #"config.json:50:30: queries.list.parameters.user: expected a value after `:`, found the end of the file"#),
    ]
}
