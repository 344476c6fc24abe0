import Foundation
import Testing

@testable import SchedulePlugin

@Suite struct TimetableTests {
    private func moment(_ text: String) throws -> Int {
        let formatter = ISO8601DateFormatter()
        return Int(try #require(formatter.date(from: text), "\(text)").timeIntervalSince1970)
    }

    private func text(_ moment: Int) -> String {
        ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: Double(moment)))
    }

    private func next(_ cron: String, _ zone: String, after start: String, count: Int = 1) throws -> [String] {
        let timetable = Timetable.cron(try CronFields(cron), try TimeZoneFile(named: zone))
        var moment = try moment(start)
        var ticks: [String] = []
        while ticks.count < count, let tick = timetable.next(after: moment) {
            ticks.append(text(tick))
            moment = tick
        }
        return ticks
    }

    @Test(arguments: [
        ("*/15 * * * *", "2026-11-24T14:07:00Z", ["2026-11-24T14:15:00Z", "2026-11-24T14:30:00Z"]),
        ("0 0 29 2 *", "2096-03-01T00:00:00Z", ["2104-02-29T00:00:00Z"]),
        ("30 2 * * mon-fri", "2026-11-27T02:30:00Z", ["2026-11-30T02:30:00Z", "2026-12-01T02:30:00Z"]),
        ("0 12 13 * fri", "2026-11-24T00:00:00Z", ["2026-11-27T12:00:00Z", "2026-12-04T12:00:00Z", "2026-12-11T12:00:00Z", "2026-12-13T12:00:00Z"]),
        ("5,10-12 8-18/5 * jan,dec *", "2026-11-24T00:00:00Z", ["2026-12-01T08:05:00Z", "2026-12-01T08:10:00Z", "2026-12-01T08:11:00Z", "2026-12-01T08:12:00Z", "2026-12-01T13:05:00Z"]),
        ("0 0 * * 7", "2026-11-24T00:00:00Z", ["2026-11-29T00:00:00Z"]),
        ("@monthly", "2026-12-31T23:59:59Z", ["2027-01-01T00:00:00Z"]),
        ("10/20 5 * * *", "2026-11-24T05:09:59Z", ["2026-11-24T05:10:00Z", "2026-11-24T05:30:00Z", "2026-11-24T05:50:00Z"]),
    ])
    func cronTicks(cron: String, start: String, ticks: [String]) throws {
        #expect(try next(cron, "UTC", after: start, count: ticks.count) == ticks)
    }

    @Test(arguments: [
        // Germany puts its clocks forward on 28 March 2027 at 1:00 UTC, and back on 31 October 2027 at 1:00 UTC.
        ("30 2 * * *", "2027-03-27T12:00:00Z", ["2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"]),
        ("30 2 * * *", "2027-10-30T12:00:00Z", ["2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"]),
        ("30 * * * *", "2027-10-30T23:45:00Z", ["2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z", "2027-10-31T02:30:00Z"]),
        ("0 * * * *", "2027-03-28T00:30:00Z", ["2027-03-28T01:00:00Z", "2027-03-28T02:00:00Z"]),
        // Far past what zone files list, by the rule alone.
        ("0 12 * * *", "2060-06-30T00:00:00Z", ["2060-06-30T10:00:00Z"]),
        ("0 12 * * *", "2060-12-30T00:00:00Z", ["2060-12-30T11:00:00Z"]),
    ])
    func clocksThatGoForwardAndBack(cron: String, start: String, ticks: [String]) throws {
        #expect(try next(cron, "Europe/Berlin", after: start, count: ticks.count) == ticks)
    }

    /// Foundation reads the same database with other code.
    @Test(arguments: ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "Africa/Casablanca"])
    func offsetsAreThoseOfFoundation(name: String) throws {
        let zone = try TimeZoneFile(named: name)
        let other = try #require(TimeZone(identifier: name))
        let wrong = stride(from: 0, to: 2_140_000_000, by: 40_009).filter {
            zone.offset(at: $0) != other.secondsFromGMT(for: Date(timeIntervalSince1970: Double($0)))
        }
        #expect(wrong.isEmpty, "\(wrong.count) moments, the first \(wrong.first.map { text($0) } ?? "")")
    }

    @Test func daysCountAsFoundationDoes() {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        for number in stride(from: -200_000, to: 200_000, by: 97) {
            let day = CivilDay(number: number)
            let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: Date(timeIntervalSince1970: Double(number) * 86_400))
            // Before 1582 Foundation's calendar is the Julian one.
            guard number > -141_427 else { continue }
            #expect([day.year, day.month, day.day, day.weekday + 1] == [parts.year, parts.month, parts.day, parts.weekday])
            #expect(CivilDay(year: day.year, month: day.month, day: day.day).number == number)
        }
    }

    @Test func intervalsAndMissedTicks() throws {
        let every = Timetable.every(300)
        #expect(every.next(after: 1000) == 1200)
        #expect(every.next(after: 1200) == 1500)
        #expect(every.ticks(after: 1000, through: 2000, limit: 10) == [1200, 1500, 1800])
        #expect(every.ticks(after: 1000, through: 2000, limit: 2) == [1500, 1800])
        #expect(every.ticks(after: 1200, through: 1499, limit: 10) == [])
        let daily = Timetable.cron(try CronFields("@daily"), .utc)
        let day = 86_400
        #expect(daily.ticks(after: 10 * day, through: 13 * day, limit: 10) == [11 * day, 12 * day, 13 * day])
        #expect(daily.ticks(after: 10 * day, through: 10_000 * day, limit: 2) == [9_999 * day, 10_000 * day])
        #expect(daily.ticks(after: 13 * day, through: 13 * day, limit: 2) == [])
    }
}
