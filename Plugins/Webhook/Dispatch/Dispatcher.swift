import Martlet

/// Delivers: reads what is due, sends it, and writes down what became of it. All of its state belongs to one task; requests,
/// reads and writes come back to it as notices.
///
/// Bounds: `maxRequests` requests (``RequestSlots``), `readLimit` reads and one write are under way at a time; results that
/// wait to be written stop new requests (``ResultQueue``); what is read ahead stays below `queuedBytes`, but for a page an
/// endpoint.
final class Dispatcher: Sendable {
    /// What a dispatcher works with.
    struct Services: Sendable {
        let database: any Database
        let reader: DeliveryReader
        let results: ResultWriter
        let client: any OutgoingHTTPClient
        let request: RequestBuilder
        let metrics: WebhookMetrics
        let logger: Logger
        let maxRequests: Int
        let queuedBytes: Int
        let bounds: EndpointQueue.Bounds
        /// Called when an endpoint is to be disabled, with the reason.
        let disable: @Sendable (String, String) -> Void
        /// Called when an endpoint goes on failing or works again, with the time since which it fails.
        let noteFailing: @Sendable (String, Int64?) -> Void
    }

    let inbox = Inbox()
    /// Endpoints that nothing is under way for any more and that other hosts may have.
    let givenBack = GivenBack()

    /// Runs until ``Notice/end``. Called once.
    func run(_ services: Services) async {
        let loop = DispatchLoop(services, inbox: inbox, givenBack: givenBack)
        while !loop.hasEnded {
            let wake = loop.turn(inbox.take(), now: .now())
            if !loop.hasEnded { await inbox.wait(until: wake) }
        }
        loop.finish()
        inbox.close()
    }

    /// Stops sending, and returns when what is under way has ended and is written down, or at the deadline.
    func drain(until deadline: ContinuousClock.Instant) async {
        inbox.post(.stopSending)
        while !givenBack.isDrained, .now < deadline { try? await Task.sleep(for: .milliseconds(10)) }
    }
}
