package import Martlet

/// The limits of an ``HTTPClient``.
package struct HTTPClientSettings: Sendable {
    /// Time to connect, TLS included.
    package var connectTimeout: Duration = .seconds(5)
    /// Connections open at the same time; requests beyond wait for one.
    package var maxConnections = 64
    /// Connections to one host; 0 for no limit but `maxConnections`.
    package var maxConnectionsPerHost = 0
    /// Requests under way or waiting; beyond it `http.client_overloaded`.
    package var maxRequests = 4_096
    /// Where connections may lead.
    package var addresses = AddressPolicy.any
    /// A PEM file of the certificate authorities to trust; nil for the system's.
    package var certificateFile: String?
    /// Whether https is asked over HTTP/2 where the server offers it.
    package var usesHTTP2 = false

    package init() {}

    /// What a module asks for.
    init(_ settings: OutgoingHTTPSettings) {
        connectTimeout = settings.connectTimeout
        maxConnections = settings.maxConnections
        maxConnectionsPerHost = settings.maxConnectionsPerHost
        maxRequests = settings.maxRequests
        addresses = settings.addresses
        certificateFile = settings.certificateFile
        usesHTTP2 = settings.usesHTTP2
    }
}
