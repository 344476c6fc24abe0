import Martlet

/// An endpoint as it is delivered to.
struct EndpointSettings: Sendable {
    let name: String
    /// Nil if each delivery has its own.
    let url: String?
    let keys: KeyRing
    let pace: EndpointPace.Limits
    let state: EndpointRow.State
    /// Milliseconds since the epoch.
    let failingSince: Int64?
}
