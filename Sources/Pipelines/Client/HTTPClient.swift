import CCurl
import Glibc
package import Martlet
import Synchronization

/// An HTTP client on one thread of its own: libcurl's multi interface over epoll, with connections that are used again.
///
/// Life: ``start()`` → any number of ``send(_:completion:)`` from any thread, at the same time → ``close()``. What it does
/// with redirects, proxies and errors is said at ``OutgoingHTTPClient``.
package final class HTTPClient: OutgoingHTTPClient, @unchecked Sendable {
    // Unchecked: `loop`, `running` and `idle` are touched only on the client's thread, once it has started.

    private struct State {
        var incoming: [ClientTransfer] = []
        var cancelled: [ClientTransfer] = []
        var count = 0
        /// Set while the thread runs.
        var wake: WakePipe?
        var isClosed = false
        var closing: [CheckedContinuation<Void, Never>] = []
    }

    /// Handles that are kept for later requests.
    private static let idleLimit = 256

    private let settings: HTTPClientSettings
    private let state = Mutex(State())
    private let loop = UnsafeMutablePointer<martlet_curl_loop>.allocate(capacity: 1)
    private var running: [UnsafeMutableRawPointer: ClientTransfer] = [:]
    private var idle: [EasyHandle] = []

    package init(settings: HTTPClientSettings = HTTPClientSettings()) {
        self.settings = settings
    }

    deinit {
        loop.deallocate()
    }

    /// Starts the thread. Called once.
    package func start() throws(ModuleError) {
        let wake = try WakePipe()
        guard martlet_curl_global_init() == CURLE_OK, martlet_curl_loop_open(loop, wake.reading) != 0 else {
            throw .transient("http.client_failed", "libcurl cannot be started; is memory short, or the limit on open files?")
        }
        _ = martlet_curl_multi_set_long(loop.pointee.multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, settings.maxConnections)
        _ = martlet_curl_multi_set_long(loop.pointee.multi, CURLMOPT_MAXCONNECTS, settings.maxConnections)
        _ = martlet_curl_multi_set_long(loop.pointee.multi, CURLMOPT_MAX_HOST_CONNECTIONS, settings.maxConnectionsPerHost)
        state.withLock { $0.wake = wake }
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { runHTTPClient($0) }, Unmanaged.passRetained(self).toOpaque())
        guard code == 0 else {
            state.withLock { $0.wake = nil }
            martlet_curl_loop_close(loop)
            Unmanaged.passUnretained(self).release()
            throw .transient("host.no_thread", "the system refuses another thread: \(String(cString: strerror(code)))")
        }
        pthread_detach(thread)
    }

    @discardableResult
    package func send(
        _ request: OutgoingRequest, completion: @escaping @Sendable (Result<OutgoingResponse, ModuleError>) -> Void
    ) -> any OutgoingTransfer {
        begin(ClientTransfer(request, settings.addresses, completion: completion))
    }

    /// Sends a request whose answer is handed on as it comes, on the client's thread, which `receive` must not block.
    /// `completion` is called once, when the answer has ended, with its head and no body; ``OutgoingRequest/bodyLimit`` is
    /// not looked at.
    package func stream(
        _ request: OutgoingRequest, receive: @escaping @Sendable (ClientStreamPart) -> Void,
        completion: @escaping @Sendable (Result<OutgoingResponse, ModuleError>) -> Void
    ) -> any OutgoingTransfer {
        begin(ClientTransfer(request, settings.addresses, receive: receive, completion: completion))
    }

    private func begin(_ transfer: ClientTransfer) -> any OutgoingTransfer {
        let request = transfer.request
        if let refusal = unsendable(request) ?? submit(transfer) { transfer.finish(.failure(refusal)) }
        return Cancelling(client: self, transfer: transfer)
    }

    /// A control character in a header would end it, and begin another.
    private func unsendable(_ request: OutgoingRequest) -> ModuleError? {
        let bad = request.headers.first { header in
            header.name.isEmpty || header.name.utf8.contains { $0 <= 0x20 || $0 == 0x3A || $0 >= 0x7F }
                || header.value.utf8.contains { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }
        }
        return bad.map {
            .permanent("http.bad_header", "the header \(JSONText.quoted($0.name)) for \(request.url) holds what a header cannot carry")
        }
    }

    private func submit(_ transfer: ClientTransfer) -> ModuleError? {
        state.withLock { state -> ModuleError? in
            guard let wake = state.wake, !state.isClosed else {
                return .transient("http.client_closed", "the client of \(transfer.request.url) is closed")
            }
            guard state.count < settings.maxRequests else {
                return .transient(
                    "http.client_overloaded",
                    "\(settings.maxRequests) requests already wait for \(transfer.request.url); try again later")
            }
            state.count += 1
            state.incoming.append(transfer)
            wake.signal()
            return nil
        }
    }

    private struct Cancelling: OutgoingTransfer {
        let client: HTTPClient
        let transfer: ClientTransfer

        func cancel() {
            transfer.cancel()
            client.state.withLock { state in
                guard let wake = state.wake else { return }
                state.cancelled.append(transfer)
                wake.signal()
            }
        }
    }

    package func close() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                state.isClosed = true
                guard let wake = state.wake else { return true }
                state.closing.append(continuation)
                wake.signal()
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    // MARK: On the thread

    /// How long the thread sleeps without anything to do; it is woken for everything.
    private static let idleMilliseconds: Int32 = 60_000

    fileprivate func run() {
        guard let wake = state.withLock({ $0.wake }) else { return }
        while takeWork() {
            martlet_curl_loop_turn(loop, Self.idleMilliseconds)
            // Before the look at what there is to do, so that what comes after it wakes the thread again.
            wake.clear()
            finishDone()
        }
        end()
    }

    /// False when the client is closed.
    private func takeWork() -> Bool {
        let (incoming, cancelled, isClosed) = state.withLock { state in
            defer {
                state.incoming = []
                state.cancelled = []
            }
            return (state.incoming, state.cancelled, state.isClosed)
        }
        for transfer in incoming {
            if transfer.isCancelled || isClosed {
                finish(transfer, .failure(isClosed ? closed(transfer) : Self.cancelled(transfer)))
            } else {
                add(transfer)
            }
        }
        for transfer in cancelled where transfer.easy != nil {
            remove(transfer)
            finish(transfer, .failure(Self.cancelled(transfer)))
        }
        return !isClosed
    }

    private func add(_ transfer: ClientTransfer) {
        guard let easy = idle.popLast() ?? EasyHandle() else {
            return finish(transfer, .failure(.transient("http.client_failed", "libcurl has no memory for a request")))
        }
        transfer.prepare(easy, settings)
        running[easy.pointer] = transfer
        curl_multi_add_handle(loop.pointee.multi, easy.pointer)
    }

    private func finishDone() {
        var code = CURLE_OK
        while let handle = martlet_curl_multi_next_done(loop.pointee.multi, &code) {
            guard let transfer = running[handle] else { continue }
            let result = transfer.result(code)
            remove(transfer)
            finish(transfer, result)
        }
    }

    private func remove(_ transfer: ClientTransfer) {
        guard let easy = transfer.takeHandle() else { return }
        curl_multi_remove_handle(loop.pointee.multi, easy.pointer)
        running[easy.pointer] = nil
        easy.reset()
        if idle.count < Self.idleLimit { idle.append(easy) }
    }

    private func finish(_ transfer: ClientTransfer, _ result: Result<OutgoingResponse, ModuleError>) {
        state.withLock { $0.count -= 1 }
        transfer.finish(result)
    }

    private func closed(_ transfer: ClientTransfer) -> ModuleError {
        .transient("http.client_closed", "the client was closed before \(transfer.request.url) answered")
    }

    private static func cancelled(_ transfer: ClientTransfer) -> ModuleError {
        .transient("http.cancelled", "the request to \(transfer.request.url) was cancelled")
    }

    private func end() {
        for transfer in Array(running.values) {
            remove(transfer)
            finish(transfer, .failure(closed(transfer)))
        }
        idle = []
        let waiting = state.withLock { state in
            state.wake = nil
            return state.closing
        }
        martlet_curl_loop_close(loop)
        for continuation in waiting { continuation.resume() }
    }
}

/// The thread's entry point: a file-scope function, since C calls it on a thread that Swift does not know.
private nonisolated func runHTTPClient(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<HTTPClient>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}
