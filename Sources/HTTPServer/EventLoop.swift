import CEvent
import Synchronization

/// One libevent loop on one thread of its own.
///
/// Everything that belongs to a loop (connections, timers, streams) is touched on its thread only; other threads hand
/// it work with `execute(_:)`. A turn of the loop is: wait for sockets, timers or work; run their callbacks; run the
/// work handed over; flush what the turn wrote (`markDirty`). So all that is written to a connection within a turn
/// leaves in one system call.
///
/// `@unchecked Sendable`: `index`, `base` and the atomics are safe anywhere; the rest is confined to the loop's thread,
/// which the package-level calls check with `preconditionOnLoop()`.
package final class EventLoop: @unchecked Sendable {
    /// The place in its group, from 0.
    package let index: Int

    let base: OpaquePointer
    /// Where sockets are read into; its content is valid within one callback only.
    let readBuffer: UnsafeMutableRawBufferPointer
    let outputPool = OutputPool()
    var dateHeader = DateHeader()
    private(set) var deadlines = DeadlineTable()

    private let wakeDescriptor: Int32
    private let inbox = Mutex(Inbox())
    private let threadID = Atomic<UInt>(0)
    private var thread = pthread_t()
    private var wakeEvent: OpaquePointer?
    private var deadlineEvent: OpaquePointer?
    private var deadlineArmedForMs = UInt64.max
    private var dirty: [Connection] = []
    /// Made when it is needed first; nil inside if the system allows none.
    private lazy var sendRing = SendRing()
    private var isStopping = false

    private struct Inbox {
        /// Bounded by those who hand over: answers by the requests in flight, the rest by their own queues.
        var work: [Work] = []
        var isAsleep = false
        var isClosed = false
    }

    enum Work {
        case closure(@Sendable () -> Void)
        case job(UnownedJob)
    }

    /// Bytes read from a socket in one go.
    static let readBytesMax = 64 * 1024
    /// Deadlines are checked at most this often.
    static let deadlineGranularityMs: UInt64 = 20

    /// Creates the loop and starts its thread. Throws when the system gives no more descriptors or threads.
    package init(index: Int) throws(EventLoopError) {
        self.index = index
        EventLoop.enableThreads
        guard let options = event_config_new() else { throw EventLoopError(call: "event_config_new", code: ENOMEM) }
        defer { event_config_free(options) }
        // The base is only ever touched on its own thread, so that its locks would be pure cost.
        event_config_set_flag(options, Int32(EVENT_BASE_FLAG_NOLOCK.rawValue))
        guard let base = event_base_new_with_config(options) else {
            throw EventLoopError(call: "event_base_new", code: cevent_errno())
        }
        self.base = base
        wakeDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        readBuffer = .allocate(byteCount: EventLoop.readBytesMax, alignment: 64)
        guard wakeDescriptor >= 0 else { throw EventLoopError(call: "eventfd", code: cevent_errno()) }
        try start()
    }

    deinit {
        if let wakeEvent { event_free(wakeEvent) }
        if let deadlineEvent { event_free(deadlineEvent) }
        event_base_free(base)
        if wakeDescriptor >= 0 { close(wakeDescriptor) }
        readBuffer.deallocate()
    }

    private func start() throws(EventLoopError) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        wakeEvent = event_new(base, wakeDescriptor, Int16(EV_READ | EV_PERSIST), eventLoopWoken, context)
        deadlineEvent = event_new(base, -1, 0, eventLoopDeadline, context)
        event_add(wakeEvent, nil)
        // The thread keeps the loop alive until it ends.
        let code = pthread_create(&thread, nil, eventLoopThread, Unmanaged.passRetained(self).toOpaque())
        if code != 0 {
            Unmanaged.passUnretained(self).release()
            throw EventLoopError(call: "pthread_create", code: code)
        }
    }

    /// libevent's own global state needs locks before the first base is made.
    private static let enableThreads: Void = {
        evthread_use_pthreads()
    }()

    // MARK: Work from other threads

    /// Whether the caller runs on this loop's thread.
    package var isCurrent: Bool { threadID.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Stops the program when the caller is on another thread: a mistake that would corrupt the loop's state.
    package func preconditionOnLoop() {
        precondition(isCurrent, "this call belongs to the thread of event loop \(index); use loop.execute")
    }

    /// Runs `work` on the loop's thread, after the callbacks of the current turn. Callable from any thread; work from
    /// one thread runs in the order it was handed over, and a batch costs one wake-up. After `stop()` work is dropped.
    package func execute(_ work: @escaping @Sendable () -> Void) {
        submit(.closure(work))
    }

    func submit(_ work: Work) {
        let mustWake = inbox.withLock { inbox in
            guard !inbox.isClosed else { return false }
            inbox.work.append(work)
            defer { inbox.isAsleep = false }
            return inbox.isAsleep
        }
        // On its own thread the loop looks at the inbox before it sleeps.
        if mustWake && !isCurrent { wake() }
    }

    private func wake() {
        var one: UInt64 = 1
        // Fails only when the counter is full, and then the loop is awake anyway.
        _ = write(wakeDescriptor, &one, 8)
    }

    fileprivate func woken() {
        var value: UInt64 = 0
        _ = read(wakeDescriptor, &value, 8)
    }

    /// Ends the thread after the current turn and waits for it. Work not yet run is dropped. Called once, from another thread.
    package func stop() {
        precondition(!isCurrent, "an event loop cannot wait for its own end")
        execute { [unowned self] in self.isStopping = true }
        pthread_join(thread, nil)
    }

    // MARK: The thread

    fileprivate func run() {
        threadID.store(UInt(pthread_self()), ordering: .relaxed)
        cevent_name_thread("http-loop-\(index)")
        var batch: [Work] = []
        while !isStopping {
            let mayWait = inbox.withLock { inbox in
                inbox.isAsleep = inbox.work.isEmpty
                return inbox.isAsleep
            }
            event_base_loop(base, EVLOOP_ONCE | (mayWait ? 0 : EVLOOP_NONBLOCK))
            inbox.withLock { inbox in
                inbox.isAsleep = false
                swap(&inbox.work, &batch)
            }
            for work in batch { perform(work) }
            batch.removeAll(keepingCapacity: batch.capacity <= 4096)
            flushDirty()
        }
        inbox.withLock { inbox in
            inbox.isClosed = true
            inbox.work.removeAll()
        }
    }

    private func perform(_ work: Work) {
        switch work {
        case .closure(let closure): closure()
        case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }

    /// Has `flushEndOfTurn()` called once when the current turn ends. The caller makes sure that it marks once a turn.
    func markDirty(_ connection: Connection) {
        dirty.append(connection)
    }

    private func flushDirty() {
        guard !dirty.isEmpty else { return }
        // What a flush marks dirty again (a close callback that writes elsewhere) is flushed in the same turn.
        var position = 0
        while position < dirty.count {
            if dirty.count - position >= SendRing.countMin, let sendRing {
                position = flushBatch(from: position, sendRing)
            } else {
                dirty[position].flushEndOfTurn()
                position += 1
            }
        }
        dirty.removeAll(keepingCapacity: dirty.capacity <= 65536)
    }

    /// Flushes the next connections, as many as the ring takes, the simple ones in one call. Returns where to go on.
    private func flushBatch(from start: Int, _ ring: SendRing) -> Int {
        var position = start
        var others: [Connection] = []
        while position < dirty.count, !ring.isFull {
            let connection = dirty[position]
            if !connection.joinBatch(ring) { others.append(connection) }
            position += 1
        }
        ring.run()
        for connection in others { connection.flushEndOfTurn() }
        return position
    }

    // MARK: Time

    /// Milliseconds of the monotonic clock, at most 10 ms old.
    var nowMs: UInt64 { UInt64(cevent_monotonic_ms()) }

    func addDeadline(for owner: any DeadlineOwner) -> Int { deadlines.add(owner) }

    func removeDeadline(_ slot: Int) { deadlines.remove(slot) }

    /// Calls the slot's owner once `ms` has passed (`UInt64.max`: never), unless set again before.
    func setDeadline(_ slot: Int, atMs ms: UInt64) {
        deadlines.set(slot, atMs: ms)
        if ms < deadlineArmedForMs { armDeadline(atMs: ms) }
    }

    private func armDeadline(atMs ms: UInt64) {
        deadlineArmedForMs = ms
        let now = nowMs
        let wait = max(ms > now ? ms - now : 0, EventLoop.deadlineGranularityMs)
        var interval = timeval(tv_sec: Int(wait / 1000), tv_usec: Int(wait % 1000) * 1000)
        event_add(deadlineEvent, &interval)
    }

    fileprivate func deadlinePassed() {
        deadlineArmedForMs = .max
        for owner in deadlines.takeExpired(nowMs: nowMs) { owner.deadlineReached() }
        let next = deadlines.earliestMs
        if next < deadlineArmedForMs { armDeadline(atMs: next) }
    }

    /// Runs `work` once on this loop after `delay`, to within about 30 ms. On the loop's thread only.
    /// The timer lives until it fired or was cancelled, whether or not the result is kept.
    @discardableResult
    package func schedule(after delay: Duration, _ work: @escaping () -> Void) -> LoopTimer {
        preconditionOnLoop()
        let timer = LoopTimer(loop: self, work: work)
        timer.start(atMs: nowMs + UInt64(max(0, delay.wholeMilliseconds)))
        return timer
    }
}

private nonisolated func eventLoopThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue().run()
    return nil
}

private nonisolated func eventLoopWoken(_ descriptor: Int32, _ what: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue().woken()
}

private nonisolated func eventLoopDeadline(_ descriptor: Int32, _ what: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue().deadlinePassed()
}
