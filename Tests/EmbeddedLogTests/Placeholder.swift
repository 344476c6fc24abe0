// EmbeddedLogTests
