import CCurl
import Glibc
package import Martlet
import Synchronization

/// An HTTP/1.1 client on one thread of its own: libcurl's multi interface, with connections that are used again.
///
/// Life: ``start()`` → any number of ``send(_:)`` from any thread, at the same time → ``close()``. It follows no redirect
/// and uses no proxy of the environment. Errors are ``ModuleError``s that name the URL: `http.unreachable`, `http.timeout`,
/// `http.connection_lost`, `http.client_overloaded`, `http.client_closed` (transient); `http.bad_url`, `http.certificate`
/// (blocked); `http.answer_too_large` (permanent). An answer of any status is no error here.
package final class HTTPClient: @unchecked Sendable {
    // Unchecked: `multi` and `running` are touched only on the client's thread, except for `curl_multi_wakeup`, which
    // libcurl allows from any; that happens under the lock and not after the thread has ended.

    private struct State {
        var incoming: [ClientTransfer] = []
        var cancelled: [ClientTransfer] = []
        var count = 0
        var multi: UnsafeMutableRawPointer?
        var isClosed = false
        var closing: [CheckedContinuation<Void, Never>] = []
    }

    private let settings: HTTPClientSettings
    private let state = Mutex(State())
    private var running: [UnsafeMutableRawPointer: ClientTransfer] = [:]

    package init(settings: HTTPClientSettings = HTTPClientSettings()) {
        self.settings = settings
    }

    /// Starts the thread. Called once.
    package func start() throws(ModuleError) {
        guard martlet_curl_global_init() == CURLE_OK, let multi = curl_multi_init() else {
            throw .transient("http.client_failed", "libcurl cannot be started; is memory short?")
        }
        _ = martlet_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, settings.maxConnections)
        _ = martlet_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.maxConnections)
        // The pointer is libcurl's; it crosses to the thread once.
        let address = Int(bitPattern: multi)
        state.withLock { $0.multi = UnsafeMutableRawPointer(bitPattern: address) }
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { runHTTPClient($0) }, Unmanaged.passRetained(self).toOpaque())
        guard code == 0 else {
            state.withLock { $0.multi = nil }
            curl_multi_cleanup(multi)
            Unmanaged.passUnretained(self).release()
            throw .transient("host.no_thread", "the system refuses another thread: \(String(cString: strerror(code)))")
        }
        pthread_detach(thread)
    }

    /// Sends a request and waits for the whole answer. Cancelling the task ends the transfer.
    package func send(_ request: ClientRequest) async throws -> ClientResponse {
        let transfer = ClientTransfer(request)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                transfer.begin(continuation)
                submit(transfer)
            }
        } onCancel: {
            transfer.cancel()
            wakeUp { $0.cancelled.append(transfer) }
        }
    }

    private func submit(_ transfer: ClientTransfer) {
        let refusal = state.withLock { state -> ModuleError? in
            guard let multi = state.multi, !state.isClosed else {
                return .transient("http.client_closed", "the client of \(transfer.request.url) is closed")
            }
            guard state.count < settings.maxRequests else {
                return .transient(
                    "http.client_overloaded",
                    "\(settings.maxRequests) requests already wait for \(transfer.request.url); try again later")
            }
            state.count += 1
            state.incoming.append(transfer)
            curl_multi_wakeup(multi)
            return nil
        }
        if let refusal { transfer.finish(.failure(refusal)) }
    }

    private func wakeUp(_ change: (inout State) -> Void) {
        state.withLock { state in
            guard let multi = state.multi else { return }
            change(&state)
            curl_multi_wakeup(multi)
        }
    }

    /// Ends the requests under way with `http.client_closed`, and the thread. Returns when it has ended.
    package func close() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                state.isClosed = true
                guard let multi = state.multi else { return true }
                state.closing.append(continuation)
                curl_multi_wakeup(multi)
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    // MARK: On the thread

    /// How long the thread sleeps without anything to do; it is woken for everything.
    private static let idleMilliseconds: Int32 = 60_000

    fileprivate func run() {
        guard let multi = state.withLock({ $0.multi }) else { return }
        while takeWork(multi) {
            var count: Int32 = 0
            curl_multi_perform(multi, &count)
            finishDone(multi)
            curl_multi_poll(multi, nil, 0, Self.idleMilliseconds, nil)
        }
        end(multi)
    }

    /// False when the client is closed.
    private func takeWork(_ multi: UnsafeMutableRawPointer) -> Bool {
        let (incoming, cancelled, isClosed) = state.withLock { state in
            defer {
                state.incoming = []
                state.cancelled = []
            }
            return (state.incoming, state.cancelled, state.isClosed)
        }
        for transfer in incoming {
            if transfer.isCancelled || isClosed {
                finish(transfer, isClosed ? .failure(closed(transfer)) : .failure(CancellationError()))
            } else {
                add(transfer, multi)
            }
        }
        for transfer in cancelled {
            guard let handle = transfer.handle else { continue }
            remove(handle, multi)
            finish(transfer, .failure(CancellationError()))
        }
        return !isClosed
    }

    private func add(_ transfer: ClientTransfer, _ multi: UnsafeMutableRawPointer) {
        guard let handle = transfer.makeHandle(settings) else {
            return finish(transfer, .failure(ModuleError.transient("http.client_failed", "libcurl has no memory for a request")))
        }
        running[handle] = transfer
        curl_multi_add_handle(multi, handle)
    }

    private func finishDone(_ multi: UnsafeMutableRawPointer) {
        var code = CURLE_OK
        while let handle = martlet_curl_multi_next_done(multi, &code) {
            guard let transfer = running[handle] else { continue }
            let result = transfer.result(code)
            remove(handle, multi)
            finish(transfer, result)
        }
    }

    private func remove(_ handle: UnsafeMutableRawPointer, _ multi: UnsafeMutableRawPointer) {
        curl_multi_remove_handle(multi, handle)
        running.removeValue(forKey: handle)?.releaseHandle()
    }

    private func finish(_ transfer: ClientTransfer, _ result: Result<ClientResponse, any Error>) {
        state.withLock { $0.count -= 1 }
        transfer.finish(result)
    }

    private func closed(_ transfer: ClientTransfer) -> ModuleError {
        .transient("http.client_closed", "the client was closed before \(transfer.request.url) answered")
    }

    private func end(_ multi: UnsafeMutableRawPointer) {
        for (handle, transfer) in running {
            remove(handle, multi)
            finish(transfer, .failure(closed(transfer)))
        }
        let waiting = state.withLock { state in
            state.multi = nil
            return state.closing
        }
        curl_multi_cleanup(multi)
        for continuation in waiting { continuation.resume() }
    }
}

/// The thread's entry point: a file-scope function, since C calls it on a thread that Swift does not know.
private nonisolated func runHTTPClient(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<HTTPClient>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}
