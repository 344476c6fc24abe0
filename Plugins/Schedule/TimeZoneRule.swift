/// What a time zone does every year, in POSIX's notation, such as `CET-1CEST,M3.5.0,M10.5.0/3` (RFC 8536, section 3.3).
struct TimeZoneRule: Sendable {
    /// A day of each year, and the second of that day by the clocks before the change.
    private struct Change {
        enum Day {
            /// `Mm.w.d`: the w-th weekday d of month m; week 5 is the last.
            case weekday(month: Int, week: Int, weekday: Int)
            /// `Jn`: from 1 to 365, 29 February never counted.
            case julian(Int)
            /// `n`: from 0 to 365.
            case zeroBased(Int)
        }

        let day: Day
        let second: Int

        func local(in year: Int) -> Int {
            let number: Int
            switch day {
            case .weekday(let month, let week, let weekday):
                let first = CivilDay(year: year, month: month, day: 1)
                let next = month == 12 ? CivilDay(year: year + 1, month: 1, day: 1) : CivilDay(year: year, month: month + 1, day: 1)
                var candidate = first.number + (weekday - first.weekday + 7) % 7 + (week - 1) * 7
                while candidate >= next.number { candidate -= 7 }
                number = candidate
            case .julian(let day):
                let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
                number = CivilDay(year: year, month: 1, day: 1).number + day - 1 + (isLeap && day >= 60 ? 1 : 0)
            case .zeroBased(let day):
                number = CivilDay(year: year, month: 1, day: 1).number + day
            }
            return number * 86_400 + second
        }
    }

    private let standard: Int
    private let summer: (offset: Int, begin: Change, end: Change)?

    /// Nil if the text is no such rule.
    init?(_ text: String) {
        var rest = Substring(text)
        guard Self.takeName(&rest), let west = Self.takeTime(&rest) else { return nil }
        standard = -west
        if rest.isEmpty {
            summer = nil
            return
        }
        guard Self.takeName(&rest) else { return nil }
        var offset = standard + 3600
        if let first = rest.first, first != "," {
            guard let west = Self.takeTime(&rest) else { return nil }
            offset = -west
        }
        let parts = rest.split(separator: ",")
        guard parts.count == 2, let begin = Self.change(parts[0]), let end = Self.change(parts[1]) else { return nil }
        summer = (offset, begin, end)
    }

    /// Seconds east of UTC.
    func offset(at moment: Int) -> Int {
        guard let summer else { return standard }
        let year = CivilDay(number: Int((Double(moment + standard) / 86_400).rounded(.down))).year
        let begin = summer.begin.local(in: year) - standard
        let end = summer.end.local(in: year) - summer.offset
        let isSummer = begin < end ? (begin..<end).contains(moment) : !(end..<begin).contains(moment)
        return isSummer ? summer.offset : standard
    }

    private static func takeName(_ text: inout Substring) -> Bool {
        if text.first == "<" {
            guard let end = text.firstIndex(of: ">") else { return false }
            text = text[text.index(after: end)...]
            return true
        }
        let name = text.prefix { $0.isLetter }
        text = text.dropFirst(name.count)
        return name.count >= 3
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func takeTime(_ text: inout Substring) -> Int? {
        let sign = text.first == "-" ? -1 : 1
        if text.first == "-" || text.first == "+" { text = text.dropFirst() }
        let digits = text.prefix { $0.isNumber || $0 == ":" }
        text = text.dropFirst(digits.count)
        let numbers = digits.split(separator: ":").map { Int($0) }
        guard (1...3).contains(numbers.count), !numbers.contains(nil) else { return nil }
        return sign * zip(numbers, [3600, 60, 1]).reduce(0) { $0 + ($1.0 ?? 0) * $1.1 }
    }

    private static func change(_ text: Substring) -> Change? {
        let parts = text.split(separator: "/", maxSplits: 1)
        var second = 7200
        if parts.count == 2 {
            var time = parts[1]
            guard let given = takeTime(&time), time.isEmpty else { return nil }
            second = given
        }
        guard let day = parts.first else { return nil }
        if day.first == "M" {
            let numbers = day.dropFirst().split(separator: ".").compactMap { Int($0) }
            guard numbers.count == 3, (1...12).contains(numbers[0]), (1...5).contains(numbers[1]), (0...6).contains(numbers[2]) else { return nil }
            return Change(day: .weekday(month: numbers[0], week: numbers[1], weekday: numbers[2]), second: second)
        }
        if day.first == "J" { return Int(day.dropFirst()).map { Change(day: .julian($0), second: second) } }
        return Int(day).map { Change(day: .zeroBased($0), second: second) }
    }
}
