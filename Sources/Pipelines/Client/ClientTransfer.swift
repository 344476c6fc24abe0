import CCurl
import Martlet
import Synchronization

/// One request on its way through libcurl.
final class ClientTransfer: @unchecked Sendable {
    // Unchecked: everything but `state` and `isCancelled` is touched only on the client's thread.

    let request: ClientRequest
    private(set) var handle: UnsafeMutableRawPointer?
    private var headerList: UnsafeMutablePointer<curl_slist>?
    /// Where libcurl writes why a transfer failed.
    private var errorText: UnsafeMutablePointer<CChar>?
    private var body: [UInt8] = []
    private var headers: [(name: String, value: String)] = []
    private var isTooLarge = false
    private let cancelled = Atomic(false)
    private let continuation = Mutex<CheckedContinuation<ClientResponse, any Error>?>(nil)

    init(_ request: ClientRequest) {
        self.request = request
    }

    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func begin(_ continuation: CheckedContinuation<ClientResponse, any Error>) {
        self.continuation.withLock { $0 = continuation }
    }

    /// Notes that the answer is not wanted any more.
    func cancel() {
        cancelled.store(true, ordering: .relaxed)
    }

    /// Ends the wait; the first call counts.
    func finish(_ result: Result<ClientResponse, any Error>) {
        let waiting = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        waiting?.resume(with: result)
    }

    // MARK: On the client's thread

    /// Makes libcurl's handle of the request, to be released with ``releaseHandle()``.
    func makeHandle(_ settings: HTTPClientSettings) -> UnsafeMutableRawPointer? {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        setOptions(handle, settings)
        setBody(handle)
        for header in request.headers {
            headerList = curl_slist_append(headerList, header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
        }
        // Without this libcurl asks before it sends a large body, which costs a turn-around.
        headerList = curl_slist_append(headerList, "Expect:")
        _ = martlet_curl_set_headers(handle, headerList)
        let context = Unmanaged.passUnretained(self).toOpaque()
        _ = martlet_curl_set_sinks(handle, { takeHeader($0, $1, $2, $3) }, { takeBody($0, $1, $2, $3) }, context)
        return handle
    }

    private func setOptions(_ handle: UnsafeMutableRawPointer, _ settings: HTTPClientSettings) {
        _ = martlet_curl_set_string(handle, CURLOPT_URL, request.url)
        _ = martlet_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = martlet_curl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        _ = martlet_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        _ = martlet_curl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1)
        _ = martlet_curl_set_string(handle, CURLOPT_PROXY, "")
        // Shorter than servers' own limits, so that a request seldom meets a connection that is being closed.
        _ = martlet_curl_set_long(handle, CURLOPT_MAXAGE_CONN, 30)
        _ = martlet_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.wholeMilliseconds)
        _ = martlet_curl_set_long(handle, CURLOPT_TIMEOUT_MS, request.timeout.wholeMilliseconds)
        if let file = settings.certificateFile { _ = martlet_curl_set_string(handle, CURLOPT_CAINFO, file) }
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        text.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        errorText = text
        _ = martlet_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, text)
    }

    private func setBody(_ handle: UnsafeMutableRawPointer) {
        let mustHaveBody = request.method == "POST" || request.method == "PUT"
        if let body = request.body ?? (mustHaveBody ? .empty : nil) {
            _ = martlet_curl_set_long(handle, CURLOPT_POST, 1)
            _ = martlet_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, Int(body.count))
            // The request, and with it the bytes, live as long as this transfer.
            body.withUnsafeBytes { _ = martlet_curl_set_pointer(handle, CURLOPT_POSTFIELDS, $0.baseAddress) }
        } else if request.method == "HEAD" {
            _ = martlet_curl_set_long(handle, CURLOPT_NOBODY, 1)
        }
        _ = martlet_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method)
    }

    /// Gives libcurl's memory back.
    func releaseHandle() {
        if let handle { curl_easy_cleanup(handle) }
        curl_slist_free_all(headerList)
        errorText?.deallocate()
        handle = nil
        headerList = nil
        errorText = nil
    }

    fileprivate func take(header line: UnsafeRawBufferPointer) {
        // The answer proper may follow others (100 Continue): each begins with a status line.
        if line.starts(with: "HTTP/".utf8) {
            headers = []
            return
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
        let end = value.lastIndex { ![0x20, 0x09, 0x0D, 0x0A].contains($0) }.map { $0 + 1 } ?? value.startIndex
        headers.append((name, String(decoding: value[..<end], as: UTF8.self)))
        if name == "content-length", let length = headers.last.flatMap({ Int($0.value) }) {
            body.reserveCapacity(max(0, min(length, request.bodyLimit)))
        }
    }

    /// False if the answer is longer than the request allows.
    fileprivate func take(body bytes: UnsafeRawBufferPointer) -> Bool {
        guard body.count + bytes.count <= request.bodyLimit else {
            isTooLarge = true
            return false
        }
        body.append(contentsOf: bytes)
        return true
    }

    /// What the transfer came to.
    func result(_ code: CURLcode) -> Result<ClientResponse, any Error> {
        guard code == CURLE_OK, let handle else { return .failure(error(code)) }
        return .success(
            ClientResponse(status: martlet_curl_status(handle), headers: headers, body: Bytes(body)))
    }

    private func error(_ code: CURLcode) -> ModuleError {
        let text = errorText.map { String(cString: $0) } ?? ""
        let reason = text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
        let url = request.url
        if isTooLarge {
            return .permanent("http.answer_too_large", "the answer of \(url) is longer than \(request.bodyLimit) bytes")
        }
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
            return .blocked("http.bad_url", "\(url) is no URL that can be asked: \(reason)")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM:
            return .blocked("http.certificate", "the certificate of \(url) is not trusted: \(reason)")
        case CURLE_OPERATION_TIMEDOUT:
            return .transient("http.timeout", "\(url) did not answer in time: \(reason)")
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST:
            return .transient("http.unreachable", "cannot reach \(url): \(reason)")
        default:
            return .transient("http.connection_lost", "the connection to \(url) broke: \(reason)")
        }
    }
}

extension Duration {
    /// At least one.
    fileprivate var wholeMilliseconds: Int {
        max(1, Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000))
    }
}

// What libcurl calls: file-scope functions, since it calls them on a thread that Swift does not know.

private nonisolated func takeHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    Unmanaged<ClientTransfer>.fromOpaque(context).takeUnretainedValue()
        .take(header: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
}

private nonisolated func takeBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    let isTaken = Unmanaged<ClientTransfer>.fromOpaque(context).takeUnretainedValue()
        .take(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return isTaken ? size * count : 0
}
