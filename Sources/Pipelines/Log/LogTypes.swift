import EmbeddedLog

/// The engine's mark under a name of its own, since the SDK has one of the same name.
typealias LogMark = ProducerMark
