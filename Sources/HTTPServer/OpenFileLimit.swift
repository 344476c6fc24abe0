import CEvent

/// The number of descriptors that this process may have open: each connection takes one.
package enum OpenFileLimit {
    /// Raises the limit to the most that the system allows this user (`ulimit -Hn`), and returns the limit in force.
    /// A host calls it once before it listens; the common default of 1,024 is less than a server's connection limit.
    @discardableResult
    package static func raise() -> Int {
        var limit = rlimit()
        guard cevent_open_file_limit(&limit) == 0 else { return 0 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        if raised.rlim_cur != limit.rlim_cur, cevent_set_open_file_limit(&raised) == 0 { limit = raised }
        return Int(clamping: limit.rlim_cur)
    }
}
