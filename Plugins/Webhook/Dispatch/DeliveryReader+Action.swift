import Martlet

extension DeliveryReader {
    /// Makes a read.
    func found(by action: ReadAction, endpoint: String, bytes: Int) async -> ReadResult.Found {
        do {
            switch action {
            case .held(let rows): return .held(try await held(endpoint: endpoint, rows: rows))
            case .due(let now, let rows): return .page(try await due(endpoint: endpoint, now: now, rows: rows, bytes: bytes))
            case .key(let read, let rows):
                return .page(
                    try await waiting(
                        endpoint: endpoint, key: read.key, after: read.after, through: read.through, rows: rows, bytes: bytes))
            case .scan(let after, let rows):
                return .page(try await waiting(endpoint: endpoint, after: after, rows: rows, bytes: bytes))
            }
        } catch {
            return .failure(error as? ModuleError ?? .transient("webhook.read_failed", "\(error)"))
        }
    }
}
