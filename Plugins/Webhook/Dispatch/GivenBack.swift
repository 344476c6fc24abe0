import Synchronization

/// What a dispatcher lets others see of itself.
final class GivenBack: Sendable {
    private struct State {
        var endpoints: Set<String> = []
        var isDrained = false
        var owned: [String] = []
    }

    private let state = Mutex(State())

    /// Nothing of the endpoint is under way any more, and it is to be another host's.
    func add(_ endpoint: String) {
        state.withLock { _ = $0.endpoints.insert(endpoint) }
    }

    var hasEndpoints: Bool { state.withLock { !$0.endpoints.isEmpty } }

    /// The endpoints that were added since the last call.
    func take() -> [String] {
        state.withLock { state in
            defer { state.endpoints = [] }
            return Array(state.endpoints)
        }
    }

    /// Whether nothing is sent any more, and nothing is under way.
    var isDrained: Bool {
        get { state.withLock { $0.isDrained } }
        set { state.withLock { $0.isDrained = newValue } }
    }

    /// The endpoints that this host delivers to.
    var owned: [String] {
        get { state.withLock { $0.owned } }
        set { state.withLock { $0.owned = newValue } }
    }
}
