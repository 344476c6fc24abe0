/// Makes clients for modules that send HTTP requests to the outside. The host supplies it, so that the SDK imports no C
/// library.
public protocol OutgoingHTTP: Sendable {
    /// A client of the module's own, to be made in `open` and closed in `close`: what it waits for delays nobody else.
    ///
    /// - Throws: transient, `http.client_failed` or `host.no_thread`, if the system refuses memory or a thread.
    func client(_ settings: OutgoingHTTPSettings) throws(ModuleError) -> any OutgoingHTTPClient
}

/// Sends requests, many at a time, over connections that are used again.
///
/// It asks for http and https only, follows no redirect (the 3xx is the answer), uses no proxy of the environment, keeps
/// no cookie, and verifies certificates. An answer of any status is no error. Errors are ``ModuleError``s:
///
/// | code | kind | |
/// |---|---|---|
/// | `http.unreachable` | transient | no connection, or the name is not known |
/// | `http.timeout` | transient | not answered within ``OutgoingRequest/timeout`` |
/// | `http.connection_lost` | transient | the answer broke off, or was no HTTP |
/// | `http.client_overloaded` | transient | ``OutgoingHTTPSettings/maxRequests`` are under way |
/// | `http.client_closed`, `http.cancelled` | transient | the client was closed, the request cancelled |
/// | `http.address_refused` | blocked | the ``AddressPolicy`` refuses where the name leads |
/// | `http.certificate` | blocked | the certificate is not valid for the host, or nobody trusted signed it |
/// | `http.bad_url` | blocked | no URL of http or https |
/// | `http.bad_header` | permanent | a header's name or value cannot be sent |
/// | `http.answer_too_large` | permanent | longer than ``OutgoingRequest/bodyLimit``, or more than 64 KiB of headers |
public protocol OutgoingHTTPClient: Sendable {
    /// Sends a request. `completion` is called once, on the client's thread, which it must not block, or on the caller's.
    ///
    /// - Returns: what ends the request before its answer; it may be ignored.
    @discardableResult
    func send(
        _ request: OutgoingRequest, completion: @escaping @Sendable (Result<OutgoingResponse, ModuleError>) -> Void
    ) -> any OutgoingTransfer

    /// Ends the requests under way with `http.client_closed`. Returns when all have ended; may be called again.
    func close() async
}

/// A request under way.
public protocol OutgoingTransfer: Sendable {
    /// Ends the request with `http.cancelled`, unless it has ended.
    func cancel()
}

extension OutgoingHTTPClient {
    /// Sends a request and waits for its answer. Cancelling the task ends the request with `CancellationError`.
    public func send(_ request: OutgoingRequest) async throws -> OutgoingResponse {
        let wait = TransferWait()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let transfer = send(request) { result in
                    continuation.resume(with: result.mapError { wait.isCancelled ? CancellationError() : $0 as any Error })
                }
                wait.began(transfer)
            }
        } onCancel: {
            wait.cancel()
        }
    }
}
