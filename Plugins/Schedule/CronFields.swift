import Martlet

/// A cron expression of five fields: minute, hour, day of the month, month, day of the week (0 or 7 is Sunday).
///
/// Each is `*`, or a list of numbers, names (`jan`, `mon`), ranges (`1-5`) and steps (`*/15`, `8-18/2`). As in Vixie cron a day
/// counts if it meets the day of the month or that of the week, when both are given.
struct CronFields: Sendable, Hashable {
    /// What is wrong with an expression.
    struct Mistake: Error {
        let message: String
    }

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    private static let weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    private static let shorthands = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    let minutes: [Int]
    let hours: [Int]
    /// Whether the hours are `*`, so that a tick means "so often" rather than "at this time".
    let isEveryHour: Bool
    private let monthDays: Set<Int>
    private let monthNumbers: Set<Int>
    private let weekdayNumbers: Set<Int>
    private let hasMonthDays: Bool
    private let hasWeekdays: Bool

    init(_ text: String) throws(Mistake) {
        let expression = Self.shorthands[text.lowercased()] ?? text
        let fields = expression.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard fields.count == 5 else {
            throw Mistake(
                message: "has \(fields.count) fields; cron has five: minute, hour, day of the month, month, day of the week, such as `30 2 * * mon-fri`, "
                    + "or one of \(Self.shorthands.keys.sorted().joined(separator: ", "))")
        }
        minutes = try Self.values(fields[0], "minute", 0...59).sorted()
        hours = try Self.values(fields[1], "hour", 0...23).sorted()
        isEveryHour = fields[1] == "*"
        monthDays = try Self.values(fields[2], "day of the month", 1...31)
        monthNumbers = try Self.values(fields[3], "month", 1...12, names: Self.months, firstName: 1)
        weekdayNumbers = Set(try Self.values(fields[4], "day of the week", 0...7, names: Self.weekdays, firstName: 0).map { $0 % 7 })
        hasMonthDays = !fields[2].hasPrefix("*")
        hasWeekdays = !fields[4].hasPrefix("*")
    }

    /// Whether there are ticks on a day.
    func includes(_ day: CivilDay) -> Bool {
        guard monthNumbers.contains(day.month) else { return false }
        let isMonthDay = monthDays.contains(day.day)
        let isWeekday = weekdayNumbers.contains(day.weekday)
        return hasMonthDays && hasWeekdays ? isMonthDay || isWeekday : isMonthDay && isWeekday
    }

    private static func values(
        _ field: Substring, _ what: String, _ range: ClosedRange<Int>, names: [String] = [], firstName: Int = 0
    ) throws(Mistake) -> Set<Int> {
        func number(_ text: Substring) throws(Mistake) -> Int {
            if let index = names.firstIndex(of: text.lowercased()) { return index + firstName }
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), range.contains(number) else {
                let words = names.isEmpty ? "" : ", or \(names.joined(separator: ", "))"
                throw Mistake(message: "has `\(text)` as \(what); expected \(range.lowerBound) to \(range.upperBound)\(words)")
            }
            return number
        }
        var values: Set<Int> = []
        for item in field.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            var step = 1
            if parts.count == 2 {
                guard let given = Int(parts[1]), given > 0 else {
                    throw Mistake(message: "has `\(item)` as \(what); the step after `/` is a number from 1")
                }
                step = given
            }
            let span = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            let first = parts[0] == "*" ? range.lowerBound : try number(span[0])
            let last =
                if parts[0] == "*" { range.upperBound } else if span.count == 2 { try number(span[1]) } else {
                    parts.count == 2 ? range.upperBound : first
                }
            guard first <= last else { throw Mistake(message: "has `\(item)` as \(what); a range goes upwards") }
            values.formUnion(stride(from: first, through: last, by: step))
        }
        return values
    }
}

/// A day of the Gregorian calendar, by days since 1 January 1970.
struct CivilDay: Sendable, Hashable {
    let number: Int
    let month: Int
    let day: Int
    let year: Int

    /// 0 is Sunday. 1 January 1970 was a Thursday.
    var weekday: Int { ((number + 4) % 7 + 7) % 7 }

    /// After Howard Hinnant's algorithm `civil_from_days`.
    init(number: Int) {
        self.number = number
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// After `days_from_civil`.
    init(year: Int, month: Int, day: Int) {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.init(number: era * 146_097 + dayOfEra - 719_468)
    }
}
