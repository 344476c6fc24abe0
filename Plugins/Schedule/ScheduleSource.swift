package import Martlet

/// Makes an event at each tick of a cron expression or an interval.
///
/// 1. decode: ``ScheduleConfig``.
/// 2. validate: the expression and the time zone; reads the zone's file.
/// 3. open: reads which tick was the last, from the data folder; the first time, waits for the next one.
/// 4. work: an input for each tick, whose id is the source's name and the tick, so that a repeated one can be told. A tick that
///    the log refuses for now is tried again.
/// 5. close: what is under way ends first.
package final class ScheduleSource: EventSource {
    package typealias Config = ScheduleConfig

    package static let name = "schedule"
    package static let summary = "Makes an event at each tick of a cron expression or an interval."

    private let name: String
    private let timetable: Timetable
    private let missed: Config.Missed
    private let maxMissed: Int
    private let state: StateFile
    private let logger: Logger
    private let skipped: Counter
    private let now: @Sendable () -> Int64
    private let lookInterval: Duration
    private let task = SourceTask()
    private let thread = WorkerSlot()

    package convenience init?(config: Config, context: ModuleContext) {
        self.init(config: config, context: context, now: { Timestamp.now() }, lookInterval: .seconds(10))
    }

    /// - Parameters:
    ///   - now: the time in milliseconds since the epoch.
    ///   - lookInterval: how often the time is looked at while a tick is waited for, since the system's clock may be set.
    init?(config: Config, context: ModuleContext, now: @escaping @Sendable () -> Int64, lookInterval: Duration) {
        self.now = now
        self.lookInterval = lookInterval
        guard let timetable = Self.timetable(config, context) else { return nil }
        self.timetable = timetable
        name = context.name
        missed = config.missed
        maxMissed = config.maxMissedEvents
        state = StateFile(dataDirectory: context.dataDirectory, kind: "sources", name: context.name + ".tick")
        logger = context.logger
        skipped = context.metrics.counter(
            "martlet_schedule_missed_total", "Ticks that passed without an event.", labels: [("source", context.name)])
    }

    private static func timetable(_ config: Config, _ context: ModuleContext) -> Timetable? {
        if let seconds = config.everySeconds { return .every(seconds) }
        guard let cron = config.cron else { return nil }
        var fields: CronFields?
        var zone: TimeZoneFile?
        do throws(CronFields.Mistake) {
            fields = try CronFields(cron.plain)
        } catch {
            context.problem(at: cron.place, error.message)
        }
        do throws(TimeZoneFile.Mistake) {
            zone = try TimeZoneFile(named: config.timeZone.plain)
        } catch {
            context.problem(at: config.timeZone.place, error.message)
        }
        guard let fields, let zone else { return nil }
        let timetable = Timetable.cron(fields, zone)
        guard timetable.next(after: Int(Timestamp.now() / 1000)) != nil else {
            context.problem(at: cron.place, "never ticks: there is no such day")
            return nil
        }
        return timetable
    }

    package var templateVariables: Set<TemplateVariableKind> { [] }

    package func open(intake: any Intake) async throws {
        let worker = try thread.open()
        task.start(logger: logger) { [self] in try await run(intake, worker) }
    }

    package func close() async {
        await task.stop()
        await thread.close()
    }

    private func run(_ intake: any Intake, _ worker: BlockingWorker) async throws {
        let opened = second
        let stored = try await worker.run { [state] in try state.read() }
        var last = stored.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? opened
        if stored == nil { try await store(last, worker) }
        while true {
            // Read once: a tick between two looks at the clock would be neither passed nor to come.
            let present = second
            for tick in due(after: last, now: present) {
                try await publish(tick, intake)
                last = tick
                try await store(last, worker)
            }
            guard let next = timetable.next(after: max(last, present)) else { return }
            try await wait(until: next)
            // A tick that came in time is never missed, whatever the policy.
            try await publish(next, intake)
            last = next
            try await store(last, worker)
        }
    }

    /// Ticks that passed since the last one, as far as they are made up for.
    private func due(after last: Int, now: Int) -> [Int] {
        let passed = timetable.ticks(after: last, through: now, limit: maxMissed)
        guard !passed.isEmpty else { return [] }
        let made =
            switch missed {
            case .once: Array(passed.suffix(1))
            case .skip: [Int]()
            case .all: passed
            }
        skipped.add(passed.count - made.count)
        logger.info(
            "ticks passed without an event", ("made_up_for", String(made.count)), ("newest", Self.text(passed[passed.count - 1])))
        return made
    }

    private func publish(_ tick: Int, _ intake: any Intake) async throws {
        let text = Self.text(tick)
        var payload = Array(#"{"schedule":"#.utf8)
        JSONText.appendQuoted(name, to: &payload)
        payload += ",\"tick\":\"\(text)\",\"timestamp\":\(tick * 1000)}".utf8
        let input = SourceInput(payload: Bytes(payload), id: Bytes("\(name)/\(text)"))
        let rejected = try await intake.settle([input]) { [logger] error in
            logger.warning("a tick waits: \(error.message)", ("code", error.code), ("tick", text))
        }
        if let error = rejected[0] {
            logger.error("a tick was rejected: \(error.message)", ("code", error.code), ("tick", text))
        }
    }

    private func store(_ tick: Int, _ worker: BlockingWorker) async throws {
        try await worker.run { [state] in try state.write(Array(String(tick).utf8)) }
    }

    /// In steps, since the system's clock may be set.
    private func wait(until tick: Int) async throws {
        while true {
            let left = Int64(tick) * 1000 - now()
            if left <= 0 { return }
            try await Task.sleep(for: min(.milliseconds(left), lookInterval))
        }
    }

    private var second: Int { Int(now() / 1000) }

    /// RFC 3339 in UTC, to the second.
    private static func text(_ tick: Int) -> String {
        LogOutput.utc(Int64(tick) * 1000).replacing(".000Z", with: "Z")
    }
}
