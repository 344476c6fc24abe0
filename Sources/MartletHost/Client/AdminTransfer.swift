import CCurl
import Martlet

/// One request over libcurl's easy interface, which blocks. A handle is used again, so that connections are kept.
final class AdminTransfer {
    /// The largest answer taken.
    static let bodyBytesMax = 64 << 20

    private let handle: OpaqueHandle
    private let answer = AnswerBuffer()

    /// libcurl's handle, freed with its owner.
    private final class OpaqueHandle {
        let pointer: UnsafeMutableRawPointer

        init?() {
            guard let pointer = curl_easy_init() else { return nil }
            self.pointer = pointer
        }

        deinit { curl_easy_cleanup(pointer) }
    }

    /// Collects what the callbacks bring.
    fileprivate final class AnswerBuffer {
        var headers: [String: String] = [:]
        var body: [UInt8] = []
    }

    init() throws(ClientError) {
        guard let handle = OpaqueHandle() else { throw ClientError("libcurl cannot make a handle") }
        self.handle = handle
    }

    /// - Parameters:
    ///   - body: sent as it is; nil for none.
    ///   - seconds: the time that the whole transfer may take.
    func send(
        _ method: String, to url: String, headers: [String], body: [UInt8]?, seconds: Int
    ) throws(ClientError) -> AdminAnswer {
        let curl = handle.pointer
        curl_easy_reset(curl)
        answer.headers = [:]
        answer.body = []
        var list: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(list) }
        // Without `Expect`, which would cost a round trip for each batch.
        for header in headers + ["Expect:"] { list = curl_slist_append(list, header) }
        let context = Unmanaged.passUnretained(answer).toOpaque()
        var code = martlet_curl_set_string(curl, CURLOPT_URL, url)
        func set(_ next: @autoclosure () -> CURLcode) { if code == CURLE_OK { code = next() } }
        set(martlet_curl_set_string(curl, CURLOPT_CUSTOMREQUEST, method))
        set(martlet_curl_set_string(curl, CURLOPT_PROTOCOLS_STR, "http,https"))
        set(martlet_curl_set_string(curl, CURLOPT_NOPROXY, "*"))
        set(martlet_curl_set_long(curl, CURLOPT_NOSIGNAL, 1))
        set(martlet_curl_set_long(curl, CURLOPT_CONNECTTIMEOUT, 10))
        set(martlet_curl_set_long(curl, CURLOPT_TIMEOUT, seconds))
        set(martlet_curl_set_headers(curl, list))
        set(martlet_curl_set_sinks(curl, takeHeader, takeBody, context))
        let bytes = body ?? []
        let outcome = bytes.withUnsafeBytes { buffer in
            if body != nil {
                set(martlet_curl_set_size(curl, CURLOPT_POSTFIELDSIZE_LARGE, buffer.count))
                set(martlet_curl_set_pointer(curl, CURLOPT_POSTFIELDS, buffer.baseAddress ?? UnsafeRawPointer(context)))
            }
            set(curl_easy_perform(curl))
            return code
        }
        guard outcome == CURLE_OK else { throw failure(outcome, url) }
        return AdminAnswer(status: martlet_curl_status(curl), headers: answer.headers, body: answer.body)
    }

    private func failure(_ code: CURLcode, _ url: String) -> ClientError {
        switch code {
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST:
            return ClientError(
                "no host answers at \(AdminAddress.origin(of: url)); start one with `martlet run`, or pass its admin address with --admin")
        case CURLE_OPERATION_TIMEDOUT:
            return ClientError("the host at \(AdminAddress.origin(of: url)) does not answer in time")
        case CURLE_WRITE_ERROR:
            return ClientError("the answer of \(AdminAddress.origin(of: url)) is larger than \(Self.bodyBytesMax) bytes")
        default:
            return ClientError("cannot talk to \(AdminAddress.origin(of: url)): \(String(cString: curl_easy_strerror(code)))")
        }
    }
}

/// libcurl's callback for a header line.
private func takeHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    let answer = Unmanaged<AdminTransfer.AnswerBuffer>.fromOpaque(context).takeUnretainedValue()
    let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self)
    let parts = line.split(separator: ":", maxSplits: 1)
    if parts.count == 2 {
        answer.headers[parts[0].lowercased()] = parts[1].trimmed
    }
    return size * count
}

/// libcurl's callback for a piece of the body.
private func takeBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    let answer = Unmanaged<AdminTransfer.AnswerBuffer>.fromOpaque(context).takeUnretainedValue()
    guard answer.body.count + size * count <= AdminTransfer.bodyBytesMax else { return 0 }
    answer.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
}

extension Substring {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        var text = drop { $0.isWhitespace }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
