import Martlet

/// The endpoints that records are taken over for, as they were at a version.
struct Audience: Sendable {
    /// One endpoint.
    struct Recipient: Sendable {
        let name: String
        let filter: EventFilter
        /// Index of the templates that it shares with others.
        let renderer: Int
        /// The URL if it is a template; nil for one that is always the same.
        let url: TemplateSet?
    }

    let version: Int64
    let recipients: [Recipient]
    let renderers: [MessageRenderer]

    /// Rows of a batch, each for a record and an endpoint.
    ///
    /// - Throws: a permanent error if a record does not fit the templates.
    func rows(
        of batch: [Record], _ writer: DeliveryWriter, payloads: any PayloadReader, now: Int64
    ) throws(ModuleError) -> [DeliveryWriter.Row] {
        var rows: [DeliveryWriter.Row] = []
        rows.reserveCapacity(batch.count * recipients.count)
        var rendered: [RenderedMessage?] = []
        for (index, record) in batch.enumerated() {
            rendered = Array(repeating: nil, count: renderers.count)
            for recipient in recipients {
                let message: RenderedMessage
                if let made = rendered[recipient.renderer] {
                    message = made
                } else {
                    message = try renderers[recipient.renderer].render(record)
                    rendered[recipient.renderer] = message
                }
                guard recipient.filter.admits(message.type) else { continue }
                let url = try recipient.url?.evaluate(TemplateInput(record), with: payloads).first?.rendered
                rows.append(writer.row(record, index: index, endpoint: recipient.name, url: url, message, now: now))
            }
        }
        return rows
    }
}
