import Martlet

/// Makes the request of one attempt, with the headers of Standard Webhooks 1.0.
struct RequestBuilder: Sendable {
    let timeout: Duration
    let answerBytes: Int

    /// Nil if there is no URL: the endpoint's was taken out of the config after the delivery was queued.
    ///
    /// - Parameter now: milliseconds since the epoch; each attempt has its own timestamp and signature.
    func request(_ delivery: Delivery, to endpoint: EndpointSettings, now: Int64) -> OutgoingRequest? {
        guard let url = delivery.url ?? endpoint.url else { return nil }
        let seconds = now / 1000
        var headers = delivery.headers
        headers.append(("User-Agent", "Martlet"))
        headers.append(("webhook-id", delivery.messageID))
        headers.append(("webhook-timestamp", String(seconds)))
        let signatures = endpoint.keys.signatures(id: delivery.messageID, timestamp: seconds, body: delivery.body, now: now)
        if !signatures.isEmpty { headers.append(("webhook-signature", signatures)) }
        return OutgoingRequest(
            "POST", url, headers: headers, body: delivery.body, timeout: timeout, bodyLimit: answerBytes, longBody: .truncate)
    }
}
