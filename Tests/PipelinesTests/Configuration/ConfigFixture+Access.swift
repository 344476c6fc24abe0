extension ConfigFixture {
    private static let users = (
        #""log": {"#, #""auth": { "users": { "type": "api_key", "keys": [{ "name": "a", "key": "0123456789abcdef" }] } }, "log": {"#)

    /// What blocks say of callers, also where other things are wrong with the same part.
    static let access: [ConfigFixture] = [
        ConfigFixture(
            "an unknown verifier, and a stream that any caller could read",
            [users, (#""path": "/users/{user}/stream","#, #""path": "/users/{user}/stream", "auth": "usrs","#)],
            #"""
                config.json:39:47: channels.stream.auth: unknown verifier `usrs`; did you mean `users`?
                  auth: users
                config.json:41:54: channels.stream.match.connection: every caller could read the stream of every other: compare it with a claim ("claim": "sub" beside it), take it from one ("${@claim.sub}"), or say what callers need in the channel's `require`
                """#),
        ConfigFixture(
            "an unknown verifier in a source that is wrong otherwise",
            [users, (#""path": "/likes","#, #""path": "/likes", "auth": ["users", "usrs"], "require": { "a": "${/actor}", "b": "${@saved.b}" },"#), (#", "key": "${/owner}", "#, #", "kee": "x", "#)],
            #"""
                config.json:16:43: sources.likes.auth[1]: unknown verifier `usrs`; did you mean `users`?
                  auth: users
                config.json:16:70: sources.likes.require.a: `require` sees the request and not its body, which may hold many events
                  take the value from the token instead: "${@claim.a}" in the templates of the part
                config.json:16:89: sources.likes.require.b: `${@saved.b}` has no value here; valid here: `${/field}`, `${@payload}`, `${@header.NAME}`, `${@path.NAME}`, `${@query.NAME}`
                config.json:22:38: sources.likes.publish.kee: unknown key `kee`; did you mean `key`?
                  valid keys: topic, pubsub, channel, key, id, payload, headers
                """#),
        ConfigFixture(
            "an unknown verifier, an unknown database and a bad template in a query",
            [users, (#""path": "/users/{user}/likes","#, #""path": "/users/{user}/likes", "auth": "usrs","#), ("\"database\": \"main\",\n      \"sql\": \"SELECT", "\"database\": \"mian\",\n      \"sql\": \"SELECT"), (#""parameters": { "user": "${@path.user}" }"#, #""parameters": { "user": "${@saved.user}" }"#)],
            #"""
                config.json:47:46: queries.list.auth: unknown verifier `usrs`; did you mean `users`?
                  auth: users
                config.json:48:19: queries.list.database: unknown database `mian`; did you mean `main`?
                  databases: main
                config.json:50:32: queries.list.parameters.user: `${@saved.user}` has no value here; valid here: `${/field}`, `${@payload}`, `${@header.NAME}`, `${@path.NAME}`, `${@query.NAME}`, `${@claim.NAME}`
                """#),
        ConfigFixture(
            "a bad statement and a bad template",
            [("VALUES (:actor)", "VALUE (:actor)"), (#""actor": "${/actor}" }"#, #""actor": "${@claim.sub}" }"#)],
            #"""
                config.json:19:16: sources.likes.save.sql: SQLite cannot parse this: near "VALUE": syntax error
                config.json:20:35: sources.likes.save.parameters.actor: `${@claim.sub}` has no value here; valid here: `${/field}`, `${@payload}`, `${@header.NAME}`, `${@path.NAME}`, `${@query.NAME}`
                """#),
        ConfigFixture(
            "an unknown bus and an unknown group in one channel",
            [(#""subscribe": { "pubsub": "bus""#, #""subscribe": { "pubsub": "buss""#), (#""group": "push""#, #""group": "pusher""#)],
            #"""
                config.json:40:32: channels.stream.subscribe.pubsub: unknown pubsub `buss`; did you mean `bus`?
                  buses: bus
                config.json:42:28: channels.stream.replay.group: unknown group `pusher`; did you mean `push`?
                  groups: store, push
                """#),
        ConfigFixture(
            "callers of parts that take no requests",
            [users, (#""sources": {"#, #""sources": { "tick": { "type": "schedule", "every_seconds": 60, "auth": "users", "require": { "sub": "a" }, "publish": { "topic": "likes" } },"#), (#""channels": {"#, #""channels": { "hooks": { "type": "webhook", "auth": "usrs" },"#)],
            #"""
                config.json:13:75: sources.tick.auth: says who may send requests, and a source of type `schedule` takes none
                  remove `auth` and `require`
                config.json:36:26: channels.hooks: missing required key `database`
                  database: string, for example "database": "main"
                config.json:36:55: channels.hooks.auth: says who may send requests, and a channel of type `webhook` takes none
                  remove `auth`
                config.json:36:55: channels.hooks.auth: unknown verifier `usrs`; did you mean `users`?
                  auth: users
                """#),
    ]
}
