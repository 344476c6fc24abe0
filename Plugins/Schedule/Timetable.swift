import Martlet

/// When a schedule ticks. Moments are in seconds since the epoch.
enum Timetable: Sendable {
    /// At whole multiples of so many seconds since the epoch, so that all hosts tick alike.
    case every(Int)
    case cron(CronFields, TimeZoneFile)

    /// A leap day may be eight years away.
    private static let daysAhead = 366 * 9

    /// The first tick after a moment; nil if there is none for years, as for 31 February.
    func next(after moment: Int) -> Int? {
        switch self {
        case .every(let seconds):
            return (moment / seconds + 1) * seconds
        case .cron(let fields, let zone):
            let today = Self.localDay(moment, zone)
            // The clock may be put back over midnight.
            for number in today - 1...today + Self.daysAhead where fields.includes(CivilDay(number: number)) {
                if let tick = Self.ticks(fields, zone, day: number).first(where: { $0 > moment }) { return tick }
            }
            return nil
        }
    }

    /// The ticks after one moment up to another, the newest `limit` of them.
    func ticks(after start: Int, through end: Int, limit: Int) -> [Int] {
        guard start < end else { return [] }
        switch self {
        case .every(let seconds):
            let last = end / seconds * seconds
            let first = max((start / seconds + 1) * seconds, last - (limit - 1) * seconds)
            return last > start ? Array(stride(from: first, through: last, by: seconds)) : []
        case .cron(let fields, let zone):
            var ticks: [Int] = []
            var day = Self.localDay(end, zone) + 1
            let firstDay = Self.localDay(start, zone) - 1
            while day >= firstDay, ticks.count < limit {
                if fields.includes(CivilDay(number: day)) {
                    ticks = Self.ticks(fields, zone, day: day).filter { $0 > start && $0 <= end } + ticks
                }
                day -= 1
            }
            return Array(ticks.suffix(limit))
        }
    }

    private static func localDay(_ moment: Int, _ zone: TimeZoneFile) -> Int {
        Int((Double(moment + zone.offset(at: moment)) / 86_400).rounded(.down))
    }

    /// The ticks of one local day. While the clock is put forward a time that is not there ticks when the clock goes on; while it is
    /// put back a time that is there twice ticks the first time, or both if the schedule is for every hour.
    private static func ticks(_ fields: CronFields, _ zone: TimeZoneFile, day: Int) -> [Int] {
        var ticks: Set<Int> = []
        for hour in fields.hours {
            for minute in fields.minutes {
                let local = day * 86_400 + hour * 3600 + minute * 60
                let moments = zone.moments(of: local)
                if moments.isEmpty {
                    ticks.insert(zone.momentAfterGap(at: local))
                } else {
                    ticks.formUnion(fields.isEveryHour ? moments : [moments[0]])
                }
            }
        }
        return ticks.sorted()
    }
}
