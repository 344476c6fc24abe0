import CLinux

/// The machine that was measured.
package enum Machine {
    /// Cores, processor and kernel, in one line.
    package static let summary: String = {
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let processor = ProcFile.field("model name", of: "/proc/cpuinfo") ?? "unknown processor"
        let kernel = ProcFile.text("/proc/sys/kernel/osrelease").split(separator: "\n").first.map(String.init) ?? ""
        return "\(cores) cores, \(processor), Linux \(kernel)"
    }()
}
