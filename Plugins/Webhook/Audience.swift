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

    /// Those that share templates, so that an event is rendered once for all of them, and found by its type.
    private struct Crowd {
        let renderer: MessageRenderer
        /// By a type that they name.
        var byType: [String: [Recipient]] = [:]
        /// Those that have to be asked: they take all types, or all that begin so.
        var others: [Recipient] = []
    }

    let version: Int64
    private let crowds: [Crowd]

    init(version: Int64, recipients: [Recipient], renderers: [MessageRenderer]) {
        self.version = version
        var crowds = renderers.map { Crowd(renderer: $0) }
        for recipient in recipients {
            if let types = recipient.filter.exactTypes {
                for type in types { crowds[recipient.renderer].byType[type, default: []].append(recipient) }
            } else {
                crowds[recipient.renderer].others.append(recipient)
            }
        }
        self.crowds = crowds.filter { !$0.byType.isEmpty || !$0.others.isEmpty }
    }

    /// Rows of a batch, each for a record and an endpoint.
    ///
    /// - Throws: a permanent error if a record does not fit the templates of an endpoint that wants it.
    func rows(
        of batch: [Record], _ writer: DeliveryWriter, payloads: any PayloadReader, now: Int64
    ) throws(ModuleError) -> [DeliveryWriter.Row] {
        var rows: [DeliveryWriter.Row] = []
        rows.reserveCapacity(batch.count)
        for (index, record) in batch.enumerated() {
            for crowd in crowds {
                let type = try crowd.renderer.eventType(of: record)
                let takers = (crowd.byType[type] ?? []) + crowd.others.filter { $0.filter.admits(type) }
                // What nobody wants need not fit the templates.
                if takers.isEmpty { continue }
                let message = try crowd.renderer.render(record, as: type)
                for taker in takers {
                    let url = try taker.url?.evaluate(TemplateInput(record), with: payloads).first?.rendered
                    rows.append(writer.row(record, index: index, endpoint: taker.name, url: url, message, now: now))
                }
            }
        }
        return rows
    }
}
