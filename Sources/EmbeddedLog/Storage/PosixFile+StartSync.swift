internal import CLinux

extension PosixFile {
    func startSync() { clinux_start_writing(descriptor) }
}
