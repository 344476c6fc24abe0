import CRdKafka
import Martlet
import Synchronization

/// Reads partitions from any offset: keeps cursors where readers stand, so that who reads on finds what was fetched ahead.
final class KafkaReader: Sendable {
    /// After how long without use a cursor is closed.
    static let idleTime = Duration.seconds(60)

    /// Milliseconds after which a look that only saves time is given up.
    private static let glanceTime = 1_000

    /// After how long without an answer it is asked whether the offset is beyond the end.
    private static let doubtTime = Duration.seconds(1)

    private struct Lane {
        weak var handle: KafkaHandle?
    }

    private let settings: KafkaSettings
    private let health: ServerHealth
    private let threads: KafkaThreads
    private let callbacks: KafkaCallbacks
    private let makeCallbacks: @Sendable () -> KafkaCallbacks
    private let admin: KafkaAdmin
    /// A lane's client lives as long as it has a cursor.
    private let lanes = Mutex<[Int: Lane]>([:])

    init(
        _ settings: KafkaSettings, _ health: ServerHealth, _ threads: KafkaThreads, _ admin: KafkaAdmin,
        makeCallbacks: @escaping @Sendable () -> KafkaCallbacks
    ) {
        self.settings = settings
        self.health = health
        self.threads = threads
        self.makeCallbacks = makeCallbacks
        self.admin = admin
        callbacks = makeCallbacks()
    }

    /// The first offset kept and the end of a partition, from the brokers.
    private func ask(_ partition: KafkaPartition) async throws -> Range<Offset> {
        if let trouble = health.trouble { throw trouble }
        return try await health.asking {
            try await threads.run { [admin] in try admin.ranges([(partition.topic, partition.number)])[0] }
        }
    }

    // MARK: Reading

    /// Records from an offset on, and where to go on; none only if the partition ends there.
    func read(_ partition: KafkaPartition, from offset: Offset, maxBytes: Int) async throws -> (records: [Record], next: Offset) {
        guard offset >= 0 else { throw OffsetOutOfRange(offset: offset, available: partition.heard(try await ask(partition))) }
        let deadline = ContinuousClock.now + .milliseconds(settings.requestTimeout)
        var isSecond = false
        while true {
            let cursor = try await take(partition, at: offset, until: deadline)
            do {
                try await fill(cursor, partition, maxBytes, offset, until: deadline)
                let records = cursor.takeRecords(maxBytes)
                let next = records.isEmpty ? max(offset, cursor.next) : cursor.next
                release(cursor, partition)
                return (records, next)
            } catch {
                guard cursor.hasFailed else {
                    release(cursor, partition)
                    throw error
                }
                close(cursor, partition)
                guard cursor.isOutOfRange else { throw error }
                let range = try await ask(partition)
                // What is there may have changed in between.
                guard !isSecond, range.contains(offset) || range.upperBound == offset else {
                    partition.reset(range)
                    throw OffsetOutOfRange(offset: offset, available: range)
                }
                partition.reset(range)
                isSecond = true
            }
        }
    }

    private func fill(
        _ cursor: KafkaCursor, _ partition: KafkaPartition, _ maxBytes: Int, _ offset: Offset, until deadline: ContinuousClock.Instant
    ) async throws {
        var doubtAt = min(deadline, .now + Self.doubtTime)
        while true {
            try Task.checkCancellation()
            if partition.isClosed { throw KafkaFailure.closed }
            try cursor.fill(maxBytes, callbacks)
            if cursor.hasRecords {
                health.answered()
                return
            }
            if cursor.hasReachedEnd { return }
            if let trouble = health.trouble { throw trouble }
            guard ContinuousClock.now < deadline else {
                let error = ModuleError.transient(
                    "log.kafka_timeout",
                    "Kafka at \(settings.servers): no records of \(partition.topic)/\(partition.number) from offset \(offset) within "
                        + "\(settings.requestTimeout) ms (`request_timeout_ms`); the brokers are away, or slow")
                health.doubt(error)
                throw error
            }
            if ContinuousClock.now >= doubtAt {
                try await checkEnd(cursor, partition, offset)
                doubtAt = .now + Self.doubtTime
                continue
            }
            await cursor.news.wait(until: min(deadline, doubtAt))
        }
    }

    /// Some brokers say nothing of an offset that they do not have yet. It is beyond the end if neither their answers to fetches,
    /// nor the end that they tell when asked, nor what this host has appended reaches it.
    ///
    /// And a partition may end, for readers, before what this host knows of: what follows is part of an open transaction, or was
    /// lost with its leader, or went with the topic that had the name before.
    private func checkEnd(_ cursor: KafkaCursor, _ partition: KafkaPartition, _ offset: Offset) async throws {
        let end = partition.end
        if cursor.isBeforeKnownEnd {
            let range = try await ask(partition)
            if range.upperBound <= cursor.position { partition.reset(range, ifItEndsAt: end) }
        } else if end < offset, cursor.isBeyondWatermark {
            let range = try await ask(partition)
            if range.upperBound < offset { throw OffsetOutOfRange(offset: offset, available: range) }
        }
    }

    /// Returns once there is a record at the offset or after it.
    func wait(_ partition: KafkaPartition, at offset: Offset) async throws {
        let waiter = KafkaSignal()
        partition.add(waiter)
        defer { partition.remove(waiter) }
        while !partition.hasRecord(from: offset) {
            try Task.checkCancellation()
            let deadline = ContinuousClock.now + .milliseconds(settings.requestTimeout)
            let cursor = try await take(partition, at: max(0, offset), until: deadline)
            do {
                try cursor.fill(1, callbacks)
                release(cursor, partition)
            } catch {
                close(cursor, partition)
                // Whoever reads next hears what there is.
                if cursor.isOutOfRange { return }
                throw error
            }
            if partition.hasRecord(from: offset) { return }
            await waiter.wait()
        }
    }

    // MARK: Cursors

    /// A cursor at an offset, taken; waits for one if all are in use.
    private func take(_ partition: KafkaPartition, at offset: Offset, until deadline: ContinuousClock.Instant) async throws -> KafkaCursor {
        while true {
            try Task.checkCancellation()
            switch try partition.take(offset) {
            case .standing(let cursor):
                return cursor
            case .elsewhere(let cursor):
                do throws(ModuleError) {
                    try cursor.move(to: offset, callbacks)
                } catch {
                    close(cursor, partition)
                    throw error
                }
                // A waiter may have relied on it.
                partition.wakeWaiters()
                await lookForEnd(cursor, partition, offset)
                return cursor
            case .lane(let lane):
                let cursor = try await make(lane, partition, at: offset)
                await lookForEnd(cursor, partition, offset)
                return cursor
            case .none(let signal):
                guard ContinuousClock.now < deadline else {
                    partition.dequeue(signal, isLeaving: true)
                    throw ModuleError.transient(
                        "log.overloaded",
                        "\(KafkaPartition.laneLimit) readers are busy in \(partition.topic)/\(partition.number) already; try again later")
                }
                await signal.wait(until: deadline)
                partition.dequeue(signal, isLeaving: Task.isCancelled)
            }
        }
    }

    /// A broker holds a request at the partition's end for a while; asking for the end is quicker.
    private func lookForEnd(_ cursor: KafkaCursor, _ partition: KafkaPartition, _ offset: Offset) async {
        guard partition.end <= offset, health.trouble == nil else { return }
        let range = try? await threads.run { [admin] in
            try admin.ranges([(partition.topic, partition.number)], timeout: Self.glanceTime)[0]
        }
        guard let range else { return }
        if partition.heard(range).upperBound == offset { cursor.isKnownToEnd() }
    }

    private func make(_ lane: Int, _ partition: KafkaPartition, at offset: Offset) async throws -> KafkaCursor {
        let cursor: KafkaCursor
        do {
            cursor = try await threads.run(whenAbandoned: { result in
                (try? result.get())?.close()
                partition.free(lane: lane)
            }) { [self] in
                try KafkaCursor(try handle(of: lane), lane: lane, in: partition, at: offset, callbacks)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            partition.free(lane: lane)
            throw error
        }
        guard partition.add(cursor) else {
            threads.begin { cursor.close() }
            throw KafkaFailure.closed
        }
        return cursor
    }

    private func handle(of lane: Int) throws(ModuleError) -> KafkaHandle {
        try lanes.withLock { lanes throws(ModuleError) in
            if let handle = lanes[lane]?.handle { return handle }
            let handle = try KafkaHandle(.consumer, settings.reader, makeCallbacks())
            lanes[lane] = Lane(handle: handle)
            return handle
        }
    }

    private func release(_ cursor: KafkaCursor, _ partition: KafkaPartition) {
        if !partition.release(cursor) { threads.begin { cursor.close() } }
    }

    private func close(_ cursor: KafkaCursor, _ partition: KafkaPartition) {
        partition.discard(cursor)
        threads.begin {
            cursor.close()
            partition.free(lane: cursor.lane)
        }
    }

    /// Closes cursors that nobody uses any more.
    func rest(_ partitions: [KafkaPartition]) {
        for partition in partitions {
            for cursor in partition.takeIdle(for: Self.idleTime) {
                threads.begin {
                    cursor.close()
                    partition.free(lane: cursor.lane)
                }
            }
        }
    }

    /// Ends all reading.
    func close(_ partitions: [KafkaPartition]) {
        for partition in partitions {
            for cursor in partition.close() { threads.begin { cursor.close() } }
        }
    }
}
