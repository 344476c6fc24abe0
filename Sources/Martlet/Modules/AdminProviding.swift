/// A channel that offers an operator more than the platform does, through the admin API.
///
/// Its routes are served on the admin listener only, under `/v1/channels/<name>`, and ask for the admin token if there
/// is one.
public protocol AdminProviding {
    /// The routes, with paths that begin after the channel's name, such as `/endpoints/{endpoint}/pause`. Known after
    /// validation; handlers run only while the host runs, also before the channel is open.
    var adminRoutes: [Route] { get }
}
