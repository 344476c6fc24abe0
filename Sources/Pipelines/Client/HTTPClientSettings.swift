/// The limits of an ``HTTPClient``.
package struct HTTPClientSettings: Sendable {
    /// Time to connect, TLS included.
    package var connectTimeout: Duration = .seconds(5)
    /// Connections open at the same time; requests beyond wait for one.
    package var maxConnections = 64
    /// Requests under way or waiting; beyond it `http.client_overloaded`.
    package var maxRequests = 4_096
    /// A PEM file of the certificate authorities to trust; nil for the system's.
    package var certificateFile: String?

    package init() {}
}
