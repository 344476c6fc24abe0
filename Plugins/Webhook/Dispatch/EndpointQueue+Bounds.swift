extension EndpointQueue {
    /// Bounds that all endpoints of a channel share.
    struct Bounds: Sendable {
        /// Keys that wait for a retry.
        let heldKeys: Int
        /// An endpoint that has failed for so long is disabled; milliseconds.
        let disableAfter: Int64
        /// A lease must last for longer than this when something is sent; milliseconds.
        let leaseMargin: Int64
        let schedule: RetrySchedule
    }
}
