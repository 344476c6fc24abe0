import Martlet
import Pipelines
import Synchronization

/// Sends one request after the other; a call blocks until the answer is there. The client's thread lasts as long as the
/// process: a command makes one.
final class AdminTransfer {
    /// The largest answer taken.
    static let bodyBytesMax = 64 << 20

    private let http: HTTPClient

    init() throws(ClientError) {
        var settings = HTTPClientSettings()
        settings.connectTimeout = .seconds(10)
        http = HTTPClient(settings: settings)
        do throws(ModuleError) {
            try http.start()
        } catch {
            throw ClientError(error.message)
        }
    }

    /// - Parameters:
    ///   - body: sent as it is; nil for none.
    ///   - seconds: the time that the whole transfer may take.
    func send(
        _ method: String, to url: String, headers: [(name: String, value: String)], body: [UInt8]?, seconds: Int
    ) throws(ClientError) -> AdminAnswer {
        let outcome = Mutex<Result<OutgoingResponse, ModuleError>?>(nil)
        let arrived = ThreadSemaphore()
        let request = OutgoingRequest(
            method, url, headers: headers, body: body.map { Bytes($0) }, timeout: .seconds(seconds), bodyLimit: Self.bodyBytesMax)
        http.send(request) { result in
            outcome.withLock { $0 = result }
            arrived.signal()
        }
        arrived.wait()
        switch outcome.withLock({ $0 }) {
        case .success(let response):
            return AdminAnswer(
                status: response.status, headers: Dictionary(response.headers.map { ($0.name, $0.value) }) { $1 },
                body: response.body.withUnsafeBytes { Array($0) })
        case .failure(let error): throw failure(error, AdminAddress.origin(of: url))
        case nil: preconditionFailure("the client signals after it has an outcome")
        }
    }

    private func failure(_ error: ModuleError, _ origin: String) -> ClientError {
        switch error.code {
        case "http.unreachable":
            ClientError("no host answers at \(origin); start one with `martlet run`, or pass its admin address with --admin")
        case "http.timeout": ClientError("the host at \(origin) does not answer in time")
        case "http.answer_too_large": ClientError("the answer of \(origin) is larger than \(Self.bodyBytesMax) bytes")
        default: ClientError("cannot talk to \(origin): \(error.message)")
        }
    }
}
