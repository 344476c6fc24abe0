// EmbeddedLog
