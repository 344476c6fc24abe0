import CLinux

/// Limits of this process that benchmarks need raised.
enum Limits {
    /// As many open descriptors as the system allows, and sharp timers on the calling thread.
    static func raise() {
        clinux_raise_descriptor_limit()
        clinux_sharpen_sleep()
    }
}
