extension ConfigFixture {
    private static let saveOfLikes = """
        "save": {
                "database": "main",
                "sql": "INSERT INTO likes(actor) VALUES (:actor)",
                "parameters": { "actor": "${/actor}" }
              },

        """

    /// What the blocks say of each other.
    static let references: [ConfigFixture] = [
        ConfigFixture(
            "dangling topic of a group", [("\"topics\": [\"likes\"],\n      \"transforms\"", "\"topics\": [\"liks\"],\n      \"transforms\"")],
            #"""
                config.json:27:18: groups.store.topics[0]: unknown topic `liks`; did you mean `likes`?
                  topics: likes
                """#),
        ConfigFixture(
            "dangling topic of a source", [(#""topic": "likes""#, #""topic": "lieks""#)],
            #"""
                config.json:22:29: sources.likes.publish.topic: unknown topic `lieks`; did you mean `likes`?
                  topics: likes
                """#),
        ConfigFixture(
            "dangling database of a sink", [(#""type": "table", "database": "main""#, #""type": "table", "database": "mian""#)],
            #"""
                config.json:29:46: groups.store.sink.database: unknown database `mian`; did you mean `main`?
                  databases: main
                """#),
        ConfigFixture(
            "dangling database of a source", [("\"save\": {\n        \"database\": \"main\"", "\"save\": {\n        \"database\": \"mian\"")],
            #"""
                config.json:18:21: sources.likes.save.database: unknown database `mian`; did you mean `main`?
                  databases: main
                """#),
        ConfigFixture(
            "dangling database of a query", [("\"database\": \"main\",\n      \"sql\": \"SELECT", "\"database\": \"mian\",\n      \"sql\": \"SELECT")],
            #"""
                config.json:48:19: queries.list.database: unknown database `mian`; did you mean `main`?
                  databases: main
                """#),
        ConfigFixture(
            "dangling pubsub of a sink", [(#""type": "pubsub", "pubsub": "bus""#, #""type": "pubsub", "pubsub": "buss""#)],
            #"""
                config.json:33:45: groups.push.sink.pubsub: unknown pubsub `buss`; did you mean `bus`?
                  buses: bus
                """#),
        ConfigFixture(
            "dangling pubsub of a channel", [(#""subscribe": { "pubsub": "bus""#, #""subscribe": { "pubsub": "buss""#)],
            #"""
                config.json:40:32: channels.stream.subscribe.pubsub: unknown pubsub `buss`; did you mean `bus`?
                  buses: bus
                """#),
        ConfigFixture(
            "dangling group of a replay", [(#""group": "push""#, #""group": "pusher""#)],
            #"""
                config.json:42:28: channels.stream.replay.group: unknown group `pusher`; did you mean `push`?
                  groups: store, push
                """#),
        ConfigFixture(
            "dangling channel of a group", [(#""sink": { "type": "pubsub", "pubsub": "bus", "channel": "likes" }"#, #""deliver_to": "steam""#)],
            #"""
                config.json:33:21: groups.push.deliver_to: unknown channel `steam`; did you mean `stream`?
                  channels: stream
                config.json:42:28: channels.stream.replay.group: a group that delivers to a channel cannot be replayed, found `push`
                """#),
        ConfigFixture(
            "neither sink nor channel", [(#""sink": { "type": "pubsub", "pubsub": "bus", "channel": "likes" }"#, #""start": "latest""#)],
            #"""
                config.json:31:13: groups.push.sink: a group needs a `sink` or a `deliver_to`
                  sink: an object with a `type`
                """#),
        ConfigFixture(
            "neither topic nor bus", [(#""topic": "likes", "#, "")],
            #"""
                config.json:22:18: sources.likes.publish.topic: an event goes to a `topic` or to a `pubsub`
                  topic: a name from `topics`
                """#),
        ConfigFixture(
            "topic and bus", [(#""topic": "likes", "#, #""topic": "likes", "pubsub": "bus", "channel": "c", "#)],
            #"""
                config.json:22:48: sources.likes.publish.pubsub: an event goes to a `topic` or to a `pubsub`, not both
                  remove one of them
                """#),
        ConfigFixture(
            "a bus without a channel", [(saveOfLikes, ""), (#""topic": "likes", "#, #""pubsub": "bus", "#)],
            #"""
                config.json:17:24: sources.likes.publish.channel: `pubsub` needs the `channel` to publish on
                  channel: the one that `channels` subscribe to
                """#),
        ConfigFixture(
            "a topic with a channel", [(#""topic": "likes", "#, #""topic": "likes", "channel": "c", "#)],
            #"""
                config.json:22:49: sources.likes.publish.channel: `channel` goes with `pubsub`; a topic has none
                  remove it, or name a `pubsub`
                """#),
        ConfigFixture(
            "a save whose event nothing keeps", [(#""topic": "likes", "#, #""pubsub": "bus", "channel": "c", "#)],
            #"""
                config.json:22:18: sources.likes.publish: the event of a `save` goes to a `topic`: on a bus alone it could be lost after the save, found `pubsub`
                  name a topic, and let a group with a `pubsub` sink read it; or remove `save`
                """#),
        ConfigFixture(
            "dangling pubsub of a source", [(saveOfLikes, ""), (#""topic": "likes", "#, #""pubsub": "buss", "channel": "c", "#)],
            #"""
                config.json:17:36: sources.likes.publish.pubsub: unknown pubsub `buss`; did you mean `bus`?
                  buses: bus
                """#),
        ConfigFixture(
            "colliding routes", [(#""path": "/users/{user}/likes""#, #""path": "/users/{name}/stream""#)],
            #"config.json:47:15: queries.list.path: http.route_collision: GET /users/{user}/stream (channels.stream) and GET /users/{name}/stream (queries.list) answer the same requests; give one of them another path or method, found `/users/{name}/stream`"#),
        ConfigFixture(
            "bad route", [(#""path": "/users/{user}/likes""#, #""path": "/users/{user/likes""#)],
            #"config.json:47:15: queries.list.path: http.malformed_route: path "/users/{user/likes" of queries.list is malformed: segment "{user" is not {name}; a parameter is a whole segment, found `/users/{user/likes`"#),
        ConfigFixture(
            "listener outside loopback", [(#""listen": "127.0.0.1:8080""#, #""listen": "0.0.0.0:8080""#)],
            #"""
                config.json:2:23: host.listen: these have no `auth`, so they listen on loopback only: sources.likes, channels.stream, queries.list, found `0.0.0.0:8080`
                  give them `auth`, or set "allow_unauthenticated": true if the network in front of this host is trusted
                """#),
        ConfigFixture(
            "admin listener outside loopback", [(#""data_directory""#, #""admin_listen": "0.0.0.0:8081", "data_directory""#)],
            #"""
                config.json:2:57: host.admin_listen: an admin listener outside loopback needs `host.admin_token`, found `0.0.0.0:8081`
                  "admin_token": "${env:MARTLET_ADMIN_TOKEN}"
                """#),
        ConfigFixture(
            "malformed listener", [(#""listen": "127.0.0.1:8080""#, #""listen": "localhost""#)],
            #"config.json:2:23: host.listen: must be `address:port`, such as 127.0.0.1:8080 or [::1]:8080, found `localhost`"#),
        ConfigFixture(
            "replay that cannot be by key", [(#""message": "${@key}""#, #""message": "${/owner}""#)],
            #"config.json:42:28: channels.stream.replay.group: streams that resume find what they missed by key: `match.message` must be "${@key}", or there must be no `match`"#),
        ConfigFixture(
            "replay of a group that delivers to a channel", [(#""sink": { "type": "pubsub", "pubsub": "bus", "channel": "likes" }"#, #""deliver_to": "stream""#)],
            #"config.json:42:28: channels.stream.replay.group: a group that delivers to a channel cannot be replayed, found `push`"#),
        ConfigFixture(
            "bad topic name", [(#""topics": { "likes""#, #""topics": { "likes!": {}, "likes""#)],
            #"config.json:12:15: topics["likes!"]: a topic name has 1 to 249 of the characters a-z A-Z 0-9 . _ -, found `likes!`"#),
        ConfigFixture(
            "unknown verifier", [(#""log": {"#, #""auth": { "users": { "type": "api_key", "keys": [{ "name": "a", "key": "0123456789abcdef" }] } }, "log": {"#), (#""path": "/likes","#, #""path": "/likes", "auth": "usrs","#)],
            #"""
                config.json:16:33: sources.likes.auth: unknown verifier `usrs`; did you mean `users`?
                  auth: users
                """#),
        ConfigFixture(
            "a requirement of nobody", [(#""path": "/likes","#, #""path": "/likes", "require": { "sub": "x" },"#)],
            #"config.json:16:36: sources.likes.require: needs `auth`, which says who the caller is"#),
        ConfigFixture(
            "a requirement over the body", [(#""log": {"#, #""auth": { "users": { "type": "api_key", "keys": [{ "name": "a", "key": "0123456789abcdef" }] } }, "log": {"#), (#""path": "/likes","#, #""path": "/likes", "auth": "users", "require": { "sub": "${/actor}" },"#)],
            #"""
                config.json:16:62: sources.likes.require.sub: `require` sees the request and not its body, which may hold many events
                  take the value from the token instead: "${@claim.sub}" in the templates of the part
                """#),
        ConfigFixture(
            "a stream that any caller could read", [(#""log": {"#, #""auth": { "users": { "type": "api_key", "keys": [{ "name": "a", "key": "0123456789abcdef" }] } }, "log": {"#), (#""path": "/users/{user}/stream","#, #""path": "/users/{user}/stream", "auth": "users","#)],
            #"config.json:41:54: channels.stream.match.connection: every caller could read the stream of every other: compare it with a claim ("claim": "sub" beside it), take it from one ("${@claim.sub}"), or say what callers need in the channel's `require`"#),
        ConfigFixture(
            "a claim of nobody", [(#""actor": "${/actor}" }"#, #""actor": "${@claim.sub}" }"#)],
            #"config.json:20:35: sources.likes.save.parameters.actor: `${@claim.sub}` has no value here; valid here: `${/field}`, `${@payload}`, `${@header.NAME}`, `${@path.NAME}`, `${@query.NAME}`"#),
        ConfigFixture(
            "all pages where callers are known", [(#""log": {"#, #""auth": { "users": { "type": "api_key", "keys": [{ "name": "a", "key": "0123456789abcdef" }] } }, "log": {"#), (#""path": "/likes","#, #""path": "/likes", "auth": "users","#), (#""data_directory": "data""#, #""data_directory": "data", "cors": { "origins": ["*"] }"#)],
            #"""
                config.json:2:88: host.cors.origins: "*" opens only what has no `auth`, and `sources.likes` has it
                  list the origins whose pages may use it, beside "*" if others are open
                """#),
        ConfigFixture(
            "listener outside loopback, partly guarded", [(#""log": {"#, #""auth": { "users": { "type": "api_key", "keys": [{ "name": "a", "key": "0123456789abcdef" }] } }, "log": {"#), (#""path": "/likes","#, #""path": "/likes", "auth": "users","#), (#""listen": "127.0.0.1:8080""#, #""listen": "0.0.0.0:8080""#)],
            #"""
                config.json:2:23: host.listen: these have no `auth`, so they listen on loopback only: channels.stream, queries.list, found `0.0.0.0:8080`
                  give them `auth`, or set "allow_unauthenticated": true if the network in front of this host is trusted
                """#),
        ConfigFixture(
            "several at once", [(#""partitions": 4"#, #""partitions": 0"#), (#""retention_hours""#, #""retentoin_hours""#), (#""type": "table", "database": "main""#, #""type": "table", "database": "mian""#), (#""key": "${/owner}""#, #""key": "${owner}""#), (#"select(.actor != .owner)"#, #"select(.actor != "#), (#""listen": "127.0.0.1:8080""#, #""listen": "0.0.0.0:8080""#), (#""parameters": { "user": "${@path.user}" }"#, #""parameters": {}"#), (#""path": "/users/{user}/likes""#, #""path": "/users/{name}/stream""#)],
            #"""
                config.json:2:23: host.listen: these have no `auth`, so they listen on loopback only: sources.likes, channels.stream, queries.list, found `0.0.0.0:8080`
                  give them `auth`, or set "allow_unauthenticated": true if the network in front of this host is trusted
                config.json:12:40: topics.likes.partitions: must be from 1 to 1024, found 0
                config.json:12:43: topics.likes.retentoin_hours: unknown key `retentoin_hours`; did you mean `retention_hours`?
                  valid keys: partitions, retention_hours, retention_bytes, segment_bytes, cleanup, compression, deduplicate, schema
                config.json:22:46: sources.likes.publish.key: `${owner}` is no template (did you mean `${/owner}`?); valid here: `${/field}`, `${@payload}`, `${@header.NAME}`, `${@path.NAME}`, `${@query.NAME}`, `${@saved.NAME}`; write `$${` for a literal `${`
                config.json:28:50: groups.store.transforms[0].program: the jq program does not compile: syntax error, unexpected end of the program (line 1 of the program)
                config.json:29:46: groups.store.sink.database: unknown database `mian`; did you mean `main`?
                  databases: main
                config.json:49:14: queries.list.sql: the statement's parameter `:user` has no template; add "user" to `parameters`
                """#),
        // A field with a problem hides none of the problems around it.
        ConfigFixture(
            "beside wrong types",
            [
                (#""listen": "127.0.0.1:8080", "data_directory": "data""#, #""listen": "0.0.0.0:8080", "data_directory": 5, "max_connections": "many""#),
                (#""sink": { "type": "table", "database": "main""#, #""batch_events": "all", "sink": { "type": "table", "database": "mian""#),
                (#""sink": { "type": "pubsub", "pubsub": "bus""#, #""sink": { "type": "pubsub", "pubsub": "bsu""#),
                (#""sql": "SELECT actor FROM likes WHERE actor = :user""#, #""max_rows": 0, "sql": "SELECT actor FROM likes WHERE actor = :usr""#),
            ],
            #"""
                config.json:2:23: host.listen: these have no `auth`, so they listen on loopback only: sources.likes, channels.stream, queries.list, found `0.0.0.0:8080`
                  give them `auth`, or set "allow_unauthenticated": true if the network in front of this host is trusted
                config.json:2:57: host.data_directory: must be a string, found 5
                config.json:2:79: host.max_connections: must be an integer, found "many"
                config.json:29:23: groups.store.batch_events: must be an integer, found "all"
                config.json:29:69: groups.store.sink.database: unknown database `mian`; did you mean `main`?
                  databases: main
                config.json:33:45: groups.push.sink.pubsub: unknown pubsub `bsu`; did you mean `bus`?
                  buses: bus
                config.json:49:19: queries.list.max_rows: must be from 1 to 100000, found 0
                config.json:49:29: queries.list.sql: the statement's parameter `:usr` has no template; add "usr" to `parameters`
                config.json:50:23: queries.list.parameters.user: the statement has no parameter `:user`; did you mean `usr`? (it has: :usr)
                """#),
        ConfigFixture(
            "a missing key is reported once",
            [
                ("\"database\": \"main\",\n      \"sql\": \"SELECT", "\"sql\": \"SELECT"),
                (#""publish": { "topic": "likes", "key""#, #""publish": { "key""#),
                (#""subscribe": { "pubsub": "bus", "channel""#, #""subscribe": { "channel""#),
            ],
            #"""
                config.json:22:18: sources.likes.publish.topic: an event goes to a `topic` or to a `pubsub`
                  topic: a name from `topics`
                config.json:40:20: channels.stream.subscribe: missing required key `pubsub`
                  pubsub: string, for example "pubsub": "bus"
                config.json:46:13: queries.list: missing required key `database`
                  database: string, for example "database": "main"
                """#),
        ConfigFixture(
            "listener whose rule looks at a wrong type",
            [
                (
                    #""listen": "127.0.0.1:8080""#,
                    #""listen": "0.0.0.0:8080", "allow_unauthenticated": "yes", "admin_listen": "0.0.0.0:8081", "admin_token": 7"#
                )
            ],
            #"""
                config.json:2:64: host.allow_unauthenticated: must be true or false, found "yes"
                config.json:2:118: host.admin_token: must be a string, found 7
                """#),
        ConfigFixture(
            "listener beside a wrong `auth`",
            [(#""listen": "127.0.0.1:8080""#, #""listen": "0.0.0.0:8080""#), (#""path": "/likes","#, #""path": "/likes", "auth": 5,"#)],
            #"""
                config.json:2:23: host.listen: these have no `auth`, so they listen on loopback only: channels.stream, queries.list, found `0.0.0.0:8080`
                  give them `auth`, or set "allow_unauthenticated": true if the network in front of this host is trusted
                config.json:16:33: sources.likes.auth: must be a name or a list of names, found 5
                """#),
    ]
}
