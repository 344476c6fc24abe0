extension EndpointQueue {
    /// What a completed attempt means beyond its own delivery.
    struct Consequence {
        var disable: String?
        var breakerOpened = false
        var breakerClosed = false
        /// Whether the database is to have it since when the endpoint fails.
        var mustNoteFailing = false
    }
}
