import Glibc

/// The limit on open descriptors. Every connection and segment file takes one, and the usual soft limit of 1,024, kept
/// low for programs that use select(2), would end far below `host.max_connections`.
enum OpenFileLimit {
    /// Raises the soft limit as far as the system allows.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
