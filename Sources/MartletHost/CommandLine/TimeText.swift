import Martlet

/// A point in time as people write it: milliseconds since the epoch, or RFC 3339 (`2026-01-31T12:00:00Z`,
/// `2026-01-31T12:00:00.5+01:00`; without an offset it is UTC; a date alone is its first moment).
enum TimeText {
    static let expected = "milliseconds since the epoch or a time like 2026-01-31T12:00:00Z"

    /// Milliseconds since the epoch; nil if the text is no time.
    static func parse(_ text: String) -> Int64? {
        if let milliseconds = Int64(text), milliseconds >= 0 { return milliseconds }
        var rest = text[...]
        guard let year = digits(&rest, 4), take("-", &rest), let month = digits(&rest, 2), (1...12).contains(month), take("-", &rest),
            let day = digits(&rest, 2), (1...daysInMonth(month, year)).contains(day)
        else { return nil }
        let midnight = days(year, month, day) * 86_400_000
        if rest.isEmpty { return midnight }
        guard take("T", &rest) || take("t", &rest) || take(" ", &rest), let time = timeOfDay(&rest), let zone = zone(&rest), rest.isEmpty
        else { return nil }
        return midnight + time - zone
    }

    private static func timeOfDay(_ rest: inout Substring) -> Int64? {
        guard let hour = digits(&rest, 2), hour < 24, take(":", &rest), let minute = digits(&rest, 2), minute < 60 else { return nil }
        var milliseconds = (hour * 60 + minute) * 60_000
        guard take(":", &rest) else { return milliseconds }
        guard let second = digits(&rest, 2), second <= 60 else { return nil }
        milliseconds += second * 1000
        guard take(".", &rest) else { return milliseconds }
        let fraction = rest.prefix { $0.isASCII && $0.isNumber }
        guard !fraction.isEmpty else { return nil }
        rest = rest.dropFirst(fraction.count)
        return milliseconds + (Int64(fraction.prefix(3) + String(repeating: "0", count: max(0, 3 - fraction.count))) ?? 0)
    }

    /// How far local time is ahead of UTC, in milliseconds.
    private static func zone(_ rest: inout Substring) -> Int64? {
        if rest.isEmpty || take("Z", &rest) || take("z", &rest) { return 0 }
        let sign: Int64 = take("-", &rest) ? -1 : 1
        guard sign < 0 || take("+", &rest), let hour = digits(&rest, 2), hour < 24, take(":", &rest), let minute = digits(&rest, 2), minute < 60
        else { return nil }
        return sign * (hour * 60 + minute) * 60_000
    }

    private static func digits(_ rest: inout Substring, _ count: Int) -> Int64? {
        let text = rest.prefix(count)
        guard text.count == count, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        rest = rest.dropFirst(count)
        return Int64(text)
    }

    private static func take(_ character: Character, _ rest: inout Substring) -> Bool {
        guard rest.first == character else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func daysInMonth(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar: years begin in March, so that the leap day is their last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
