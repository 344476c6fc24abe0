/// The like-notification flow as it is shipped. A test compares it with the repository's config.json.
package enum ShippedFlow {
    /// The config file's text.
    package static let config = #"""
        {
          "host": { "listen": "127.0.0.1:8080", "admin_listen": "127.0.0.1:8081", "data_directory": "data" },
          "log": { "type": "embedded", "acknowledge": "fsync" },
          "databases": {
            "main": {
              "type": "sqlite",
              "path": "data/main.db",
              "schema": [
                {
                  "id": "001-likes",
                  "sql": "CREATE TABLE likes (post_id BIGINT NOT NULL, actor TEXT NOT NULL, PRIMARY KEY (post_id, actor))"
                },
                {
                  "id": "002-notifications",
                  "sql": "CREATE TABLE notifications (id TEXT PRIMARY KEY, recipient TEXT NOT NULL, text TEXT NOT NULL, created_at BIGINT NOT NULL); CREATE INDEX notifications_by_recipient ON notifications (recipient, id)"
                }
              ]
            }
          },
          "pubsub": { "bus": { "type": "memory" } },
          "topics": { "notifications": { "partitions": 4, "retention_hours": 168 } },
          "sources": {
            "likes": {
              "type": "http",
              "method": "POST",
              "path": "/likes",
              "body_schema": {
                "type": "object",
                "required": ["actor", "post_id", "post_owner"],
                "properties": {
                  "actor": { "type": "string", "minLength": 1, "maxLength": 100 },
                  "post_id": { "type": "integer" },
                  "post_owner": { "type": "string", "minLength": 1, "maxLength": 100 }
                }
              },
              "save": {
                "database": "main",
                "sql": "INSERT INTO likes(post_id, actor) VALUES (:post_id, :actor) ON CONFLICT DO NOTHING",
                "parameters": { "post_id": "${/post_id}", "actor": "${/actor}" }
              },
              "publish": {
                "topic": "notifications",
                "key": "${/post_owner}",
                "payload": {
                  "type": "like",
                  "recipient": "${/post_owner}",
                  "actor": "${/actor}",
                  "post_id": "${/post_id}",
                  "text": "${/actor} liked your post"
                }
              }
            }
          },
          "groups": {
            "notification-store": {
              "topics": ["notifications"],
              "transforms": [{ "type": "jq", "program": "select(.actor != .recipient)" }],
              "sink": {
                "type": "table",
                "database": "main",
                "table": "notifications",
                "on_conflict": "ignore",
                "columns": { "id": "${@id}", "recipient": "${/recipient}", "text": "${/text}", "created_at": "${@timestamp}" }
              }
            },
            "notification-push": {
              "topics": ["notifications"],
              "transforms": [{ "type": "jq", "program": "select(.actor != .recipient)" }],
              "sink": { "type": "pubsub", "pubsub": "bus", "channel": "notifications" }
            }
          },
          "channels": {
            "notification-stream": {
              "type": "sse",
              "path": "/users/{user}/notifications/stream",
              "subscribe": { "pubsub": "bus", "channel": "notifications" },
              "match": { "message": "${@key}", "connection": "${@path.user}" },
              "replay": { "group": "notification-push" }
            }
          },
          "queries": {
            "notification-list": {
              "method": "GET",
              "path": "/users/{user}/notifications",
              "database": "main",
              "sql": "SELECT id, text, created_at FROM notifications WHERE recipient = :user ORDER BY id DESC LIMIT 50",
              "parameters": { "user": "${@path.user}" }
            }
          }
        }
        """#
}
