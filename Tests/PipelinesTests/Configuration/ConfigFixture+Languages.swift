extension ConfigFixture {
    /// Templates, jq, SQL and JSON Schema inside the config.
    static let languages: [ConfigFixture] = [
        ConfigFixture(
            "bad template: no pointer", [(#""key": "${/owner}""#, #""key": "${owner}""#)],
            #"config.json:22:46: sources.likes.publish.key: `${owner}` is no template (did you mean `${/owner}`?); valid here: `${/field}`, `${@payload}`, `${@header.NAME}`, `${@path.NAME}`, `${@query.NAME}`, `${@saved.NAME}`; write `$${` for a literal `${`"#),
        ConfigFixture(
            "bad template: not closed", [(#""key": "${/owner}""#, #""key": "${/owner""#)],
            #"config.json:22:46: sources.likes.publish.key: `${/owner` has no closing `}`; write `$${` for a literal `${`"#),
        ConfigFixture(
            "bad template: unknown variable", [(#""columns": { "actor": "${/actor}" }"#, #""columns": { "actor": "${@keys}" }"#)],
            #"config.json:29:95: groups.store.sink.columns.actor: `${@keys}` is no variable (did you mean `${@key}`?); valid here: `${/field}`, `${@payload}`, `${@id}`, `${@key}`, `${@topic}`, `${@partition}`, `${@offset}`, `${@timestamp}`, `${@header.NAME}`"#),
        ConfigFixture(
            "template variable out of place", [(#""columns": { "actor": "${/actor}" }"#, #""columns": { "actor": "${@path.user}" }"#)],
            #"config.json:29:95: groups.store.sink.columns.actor: `${@path.user}` has no value here; valid here: `${/field}`, `${@payload}`, `${@id}`, `${@key}`, `${@topic}`, `${@partition}`, `${@offset}`, `${@timestamp}`, `${@header.NAME}`"#),
        ConfigFixture(
            "template in plain text", [(#""topic": "likes""#, #""topic": "${/topic}""#)],
            #"""
                config.json:22:29: sources.likes.publish.topic: unknown topic `${/topic}`
                  topics: likes
                """#),
        ConfigFixture(
            "bad jq", [(#"select(.actor != .owner)"#, #"select(.actor != "#)],
            #"config.json:28:50: groups.store.transforms[0].program: the jq program does not compile: syntax error, unexpected end of the program (line 1 of the program)"#),
        ConfigFixture(
            "bad jq function", [(#"select(.actor != .owner)"#, #".actor | shout"#)],
            #"config.json:28:50: groups.store.transforms[0].program: the jq program does not compile: shout/0 is not defined (line 1 of the program)"#),
        ConfigFixture(
            "bad template of a module with a refused value",
            [(#""columns": { "actor": "${/actor}" }"#, #""on_conflict": "ignor", "columns": { "actor": "${@keys}" }"#)],
            #"""
                config.json:29:87: groups.store.sink.on_conflict: unknown value "ignor"; did you mean "ignore"?
                  valid values: "ignore", "update", "fail"
                config.json:29:119: groups.store.sink.columns.actor: `${@keys}` is no variable (did you mean `${@key}`?); valid here: `${/field}`, `${@payload}`, `${@id}`, `${@key}`, `${@topic}`, `${@partition}`, `${@offset}`, `${@timestamp}`, `${@header.NAME}`
                """#),
        ConfigFixture(
            "a refused value breaks no rule",
            [(#""columns": { "actor": "${/actor}" }"#, #""on_conflict": "update", "conflict_columns": 7, "columns": { "actor": "${/actor}" }"#)],
            "config.json:29:117: groups.store.sink.conflict_columns: must be a list, found 7"),
        ConfigFixture(
            "bad schema of a source with an unknown key",
            [(#""path": "/likes","#, "\"path\": \"/likes\", \"methd\": \"POST\",\n      \"body_schema\": { \"type\": \"objekt\" },")],
            #"""
                config.json:16:25: sources.likes.methd: unknown key `methd`; did you mean `method`?
                  valid keys: type, auth, require, transforms, save, publish, method, path, content, body_schema, max_batch_events, respond
                config.json:17:22: sources.likes.body_schema: is no JSON Schema: Unrecognised JSON type name 'objekt'
                """#),
        ConfigFixture(
            "unbound parameter", [(#""parameters": { "user": "${@path.user}" }"#, #""parameters": {}"#)],
            #"config.json:49:14: queries.list.sql: the statement's parameter `:user` has no template; add "user" to `parameters`"#),
        ConfigFixture(
            "unknown parameter", [(#""parameters": { "actor": "${/actor}" }"#, #""parameters": { "acter": "${/actor}" }"#)],
            #"""
                config.json:19:16: sources.likes.save.sql: the statement's parameter `:actor` has no template; add "actor" to `parameters`
                config.json:20:25: sources.likes.save.parameters.acter: the statement has no parameter `:acter`; did you mean `actor`? (it has: :actor)
                """#),
        ConfigFixture(
            "two statements in save", [(#"VALUES (:actor)""#, #"VALUES (:actor); DELETE FROM likes""#)],
            #"config.json:19:16: sources.likes.save.sql: only one statement is allowed; another begins with `DELETE FROM likes`"#),
        ConfigFixture(
            "transaction control in save", [(#"INSERT INTO likes(actor) VALUES (:actor)"#, #"COMMIT"#)],
            #"config.json:19:16: sources.likes.save.sql: COMMIT is not allowed: the platform begins and ends transactions itself"#),
        ConfigFixture(
            "bad SQL", [(#"INSERT INTO likes(actor) VALUES (:actor)"#, #"INSRT INTO likes(actor) VALUES (:actor)"#)],
            #"config.json:19:16: sources.likes.save.sql: SQLite cannot parse this: near "INSRT": syntax error"#),
        ConfigFixture(
            "bad schema step", [(#"CREATE TABLE likes (actor TEXT)"#, #"CREATE TABEL likes (actor TEXT)"#)],
            #"config.json:8:54: databases.main.schema[0].sql: step `001-likes`: SQLite cannot parse this: near "TABEL": syntax error"#),
        ConfigFixture(
            "bad schema of a body", [(#""path": "/likes","#, "\"path\": \"/likes\",\n      \"body_schema\": { \"type\": \"objekt\" },")],
            #"config.json:17:22: sources.likes.body_schema: is no JSON Schema: Unrecognised JSON type name 'objekt'"#),
    ]
}
