/// The limits of an ``OutgoingHTTPClient``.
public struct OutgoingHTTPSettings: Sendable {
    /// Time to connect, name look-up and TLS included.
    public var connectTimeout: Duration = .seconds(5)
    /// Connections open at the same time; requests beyond wait for one, within their own timeout.
    public var maxConnections = 64
    /// Connections open to one host at the same time; 0 for no limit but ``maxConnections``.
    public var maxConnectionsPerHost = 0
    /// Requests under way or waiting; beyond it `http.client_overloaded`.
    public var maxRequests = 4_096
    /// Where connections may lead.
    public var addresses = AddressPolicy.publicOnly()
    /// A PEM file of the certificate authorities to trust; nil for the system's.
    public var certificateFile: String?
    /// Whether https is asked over HTTP/2 where the server offers it.
    public var usesHTTP2 = true

    public init() {}
}
