package import Martlet

/// Makes an ``HTTPClient`` for each module that asks.
package struct HTTPClients: OutgoingHTTP {
    package init() {}

    package func client(_ settings: OutgoingHTTPSettings) throws(ModuleError) -> any OutgoingHTTPClient {
        let client = HTTPClient(settings: HTTPClientSettings(settings))
        try client.start()
        return client
    }
}
