import CCurl
import Martlet
import Synchronization

/// One request on its way through libcurl.
final class ClientTransfer: @unchecked Sendable {
    // Unchecked: everything but `request`, `completion` and `cancelled` is touched only on the client's thread.

    typealias Completion = @Sendable (Result<OutgoingResponse, ModuleError>) -> Void
    typealias Receiver = @Sendable (ClientStreamPart) -> Void

    /// All headers of an answer.
    private static let headerLimit = 65_536

    let request: OutgoingRequest
    private let addresses: AddressPolicy
    /// Gets the answer as it comes; nil for one that is wanted whole.
    private let receive: Receiver?
    private(set) var easy: EasyHandle?
    private var body: [UInt8] = []
    private var headers: [(name: String, value: String)] = []
    private var headerBytes = 0
    /// Whether the empty line after the headers has come: libcurl takes an answer that breaks off before for a whole one.
    private var hasAllHeaders = false
    /// What of the answer is longer than the request allows.
    private var excess: Excess?
    private var refusal: String?
    private let cancelled = Atomic(false)
    private let completion: Mutex<Completion?>

    private enum Excess {
        case headers, body
    }

    init(_ request: OutgoingRequest, _ addresses: AddressPolicy, receive: Receiver? = nil, completion: @escaping Completion) {
        self.request = request
        self.addresses = addresses
        self.receive = receive
        self.completion = Mutex(completion)
    }

    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// Notes that the answer is not wanted any more.
    func cancel() {
        cancelled.store(true, ordering: .relaxed)
    }

    /// Ends the request; the first call counts.
    func finish(_ result: Result<OutgoingResponse, ModuleError>) {
        let waiting = completion.withLock { completion in
            defer { completion = nil }
            return completion
        }
        waiting?(result)
    }

    // MARK: On the client's thread

    /// Prepares libcurl's handle for the request; it is given back by ``takeHandle()``.
    func prepare(_ easy: EasyHandle, _ settings: HTTPClientSettings) {
        self.easy = easy
        setOptions(easy, settings)
        setBody(easy)
        for header in request.headers {
            easy.add(header: header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
        }
        // Without this libcurl asks before it sends a large body, which costs a turn-around.
        easy.add(header: "Expect:")
        easy.finishOptions()
        let context = Unmanaged.passUnretained(self).toOpaque()
        _ = martlet_curl_set_sinks(easy.pointer, { takeHeader($0, $1, $2, $3) }, { takeBody($0, $1, $2, $3) }, context)
        _ = martlet_curl_set_opener(easy.pointer, { openSocket($0, $1, $2) }, context)
    }

    private func setOptions(_ easy: EasyHandle, _ settings: HTTPClientSettings) {
        easy.set(CURLOPT_URL, request.url)
        easy.set(CURLOPT_PROTOCOLS_STR, "http,https")
        if settings.usesHTTP2, hasScheme("https:") {
            easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
            // Rather share a connection that is being made than open another.
            easy.set(CURLOPT_PIPEWAIT, 1)
        } else {
            easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        }
        easy.set(CURLOPT_NOSIGNAL, 1)
        easy.set(CURLOPT_TCP_KEEPALIVE, 1)
        easy.set(CURLOPT_PROXY, "")
        // Ending a request must not wait for a name server that does not answer.
        easy.set(CURLOPT_QUICK_EXIT, 1)
        // Shorter than servers' own limits, so that a request seldom meets a connection that is being closed.
        easy.set(CURLOPT_MAXAGE_CONN, 30)
        easy.set(CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.wholeMilliseconds)
        easy.set(CURLOPT_TIMEOUT_MS, request.timeout.wholeMilliseconds)
        if let file = settings.certificateFile { easy.set(CURLOPT_CAINFO, file) }
    }

    private func hasScheme(_ scheme: String) -> Bool {
        request.url.utf8.prefix(scheme.utf8.count).lazy.map { $0 | 0x20 }.elementsEqual(scheme.utf8)
    }

    private func setBody(_ easy: EasyHandle) {
        let mustHaveBody = request.method == "POST" || request.method == "PUT"
        if let body = request.body ?? (mustHaveBody ? .empty : nil) {
            easy.set(CURLOPT_POST, 1)
            _ = martlet_curl_set_size(easy.pointer, CURLOPT_POSTFIELDSIZE_LARGE, Int(body.count))
            // The request, and with it the bytes, live as long as this transfer.
            body.withUnsafeBytes { _ = martlet_curl_set_pointer(easy.pointer, CURLOPT_POSTFIELDS, $0.baseAddress) }
        } else if request.method == "HEAD" {
            easy.set(CURLOPT_NOBODY, 1)
        }
        easy.set(CURLOPT_CUSTOMREQUEST, request.method)
    }

    /// Gives the handle back, once libcurl does not use it any more.
    func takeHandle() -> EasyHandle? {
        defer { easy = nil }
        return easy
    }

    /// False if the answer's headers are longer than any should be.
    fileprivate func take(header line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= Self.headerLimit else {
            excess = .headers
            return false
        }
        // The answer proper may follow others (100 Continue): each begins with a status line.
        if line.starts(with: "HTTP/".utf8) {
            headers = []
            hasAllHeaders = false
            return true
        }
        if line.allSatisfy({ $0 == 0x0D || $0 == 0x0A }) {
            hasAllHeaders = true
            if let receive, let easy { receive(.head(status: martlet_curl_status(easy.pointer), headers: headers)) }
            return true
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return true }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
        let end = value.lastIndex { ![0x20, 0x09, 0x0D, 0x0A].contains($0) }.map { $0 + 1 } ?? value.startIndex
        headers.append((name, String(decoding: value[..<end], as: UTF8.self)))
        if name == "content-length", let length = headers.last.flatMap({ Int($0.value) }) {
            body.reserveCapacity(max(0, min(length, request.bodyLimit)))
        }
        return true
    }

    /// False if the answer is longer than the request allows.
    fileprivate func take(body bytes: UnsafeRawBufferPointer) -> Bool {
        if let receive {
            receive(.body(Bytes(copying: bytes)))
            return true
        }
        let room = request.bodyLimit - body.count
        body.append(contentsOf: bytes.prefix(max(0, room)))
        guard bytes.count <= room else {
            excess = .body
            return false
        }
        return true
    }

    /// Whether the address may be connected to.
    fileprivate func permits(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let address = IPAddress(bytes: bytes)
        guard let reason = addresses.refusal(of: address) else { return true }
        refusal = "\(address), \(reason)"
        return false
    }

    /// What the transfer came to.
    func result(_ code: CURLcode) -> Result<OutgoingResponse, ModuleError> {
        let isCut = excess == .body && request.longBody == .truncate
        guard code == CURLE_OK || isCut || isAnswered(code), let easy else { return .failure(error(code)) }
        guard hasAllHeaders else {
            return .failure(.transient("http.connection_lost", "the answer of \(request.url) broke off in its headers"))
        }
        return .success(
            OutgoingResponse(
                status: martlet_curl_status(easy.pointer), headers: headers, body: Bytes(body), isTruncated: isCut))
    }

    /// A server of HTTP/2 may answer before it has read the request, and then end the stream (RFC 9113, 8.1): the answer
    /// counts, if all of it has come.
    private func isAnswered(_ code: CURLcode) -> Bool {
        guard code == CURLE_HTTP2_STREAM, hasAllHeaders, let easy else { return false }
        let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) }
        return martlet_curl_status(easy.pointer) == 204 || length == body.count
    }

    private func error(_ code: CURLcode) -> ModuleError {
        let text = easy?.error ?? ""
        let reason = text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
        let url = request.url
        switch excess {
        case .body: return .permanent("http.answer_too_large", "the answer of \(url) is longer than \(request.bodyLimit) bytes")
        case .headers:
            return .permanent("http.answer_too_large", "the answer of \(url) has more than \(Self.headerLimit) bytes of headers")
        case nil: break
        }
        switch code {
        case CURLE_UNSUPPORTED_PROTOCOL where hasScheme("http:") || hasScheme("https:"):
            return .transient("http.connection_lost", "the answer of \(url) is no HTTP: \(reason)")
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
            return .blocked("http.bad_url", "\(url) is no URL that can be asked: \(reason)")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM:
            return .blocked("http.certificate", "the certificate of \(url) is not trusted: \(reason)")
        case CURLE_OPERATION_TIMEDOUT:
            return .transient("http.timeout", "\(url) did not answer in time: \(reason)")
        case CURLE_COULDNT_CONNECT where refusal != nil:
            return .blocked("http.address_refused", "\(url) leads to \(refusal ?? ""), which is not allowed")
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
    let isTaken = Unmanaged<ClientTransfer>.fromOpaque(context).takeUnretainedValue()
        .take(header: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return isTaken ? size * count : 0
}

private nonisolated func takeBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    let isTaken = Unmanaged<ClientTransfer>.fromOpaque(context).takeUnretainedValue()
        .take(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return isTaken ? size * count : 0
}

private nonisolated func openSocket(
    _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ peer: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let context, let peer else { return -1 }
    let transfer = Unmanaged<ClientTransfer>.fromOpaque(context).takeUnretainedValue()
    return withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { bytes in
        guard martlet_curl_address(peer, bytes.baseAddress) != 0, transfer.permits(UnsafeRawBufferPointer(bytes)) else { return -1 }
        return martlet_curl_socket(peer)
    }
}
