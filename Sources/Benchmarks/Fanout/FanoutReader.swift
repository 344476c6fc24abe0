import CLinux

/// Reads a share of the streams on a thread of its own: one reader alone would be busier than the servers that it measures.
///
/// Its calls come from one thread, in this order: ``open(port:path:)``, then ``begin(_:)`` and ``end()`` for each message,
/// then ``finish()``.
final class FanoutReader: @unchecked Sendable {
    // Unchecked: the caller and the reader's thread take turns, which the two signals order.

    /// What stands before a message's number.
    static let marker = #""n":"#

    private let work: FanoutWork
    private let driver: LoadDriver<FanoutWork>
    private let streamCount: Int
    private let begun = Signal()
    private let ended = Signal()
    private var isFinished = false
    private var failure: BenchmarkError?
    private var thread: WorkerThread?

    init(streams: Int) throws(BenchmarkError) {
        streamCount = streams
        work = FanoutWork(streams: streams, path: "")
        driver = try LoadDriver(work: work, streams: StreamSet(capacity: streams, marker: Self.marker))
    }

    /// Opens the streams, and starts the thread.
    func open(port: UInt16, path: String) throws(BenchmarkError) {
        try driver.openStreams(port: port, count: streamCount) { _ in path }
        thread = try WorkerThread { [unowned self] in read() }
    }

    /// A message is about to be posted.
    func begin(_ number: Int) {
        work.begin(number)
        begun.raise()
    }

    /// Waits until all streams have the message, or its time is over. Returns when the last one got it.
    func end() throws(BenchmarkError) -> Int64 {
        guard ended.wait(atMost: 60) else { throw BenchmarkError("the reader of event streams hangs") }
        if let failure { throw failure }
        work.end()
        return work.lastDeliveryAt
    }

    /// Ends the thread, looks for late messages, and says what was lost and what came twice.
    func finish() throws(BenchmarkError) -> (lost: Int, duplicate: Int) {
        stop()
        try driver.linger(seconds: 0.2)
        return (work.lost, work.duplicate)
    }

    deinit {
        stop()
    }

    private func stop() {
        guard let thread else { return }
        isFinished = true
        begun.raise()
        thread.join()
        self.thread = nil
    }

    private func read() {
        while true {
            guard begun.wait(atMost: 60) else { continue }
            if isFinished { return }
            do throws(BenchmarkError) {
                // There is no connection to post on: it only reads.
                try driver.run(.flatOut, seconds: 0, drain: 30)
            } catch {
                failure = error
            }
            ended.raise()
        }
    }
}
