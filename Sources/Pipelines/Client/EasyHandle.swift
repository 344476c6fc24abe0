import CCurl

/// libcurl's handle of one request at a time, with the memory that goes with it. Used again for the next request:
/// making one costs more than a request on loopback.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    /// Where libcurl writes why a transfer failed.
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerList: UnsafeMutablePointer<curl_slist>?

    /// Nil if libcurl has no memory.
    init?() {
        guard let pointer = curl_easy_init() else { return nil }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(pointer)
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    /// Why the last transfer failed; empty if libcurl did not say.
    var error: String { String(cString: errorText) }

    func set(_ option: CURLoption, _ value: Int) {
        _ = martlet_curl_set_long(pointer, option, value)
    }

    func set(_ option: CURLoption, _ value: String) {
        _ = martlet_curl_set_string(pointer, option, value)
    }

    func add(header line: String) {
        headerList = curl_slist_append(headerList, line)
    }

    /// Hands over the headers that were added, and the place for errors.
    func finishOptions() {
        _ = martlet_curl_set_headers(pointer, headerList)
        errorText[0] = 0
        _ = martlet_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
    }

    /// Forgets the request, to be ready for another.
    func reset() {
        curl_easy_reset(pointer)
        curl_slist_free_all(headerList)
        headerList = nil
    }
}
