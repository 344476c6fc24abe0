import CEvent

/// The `Date` field line of one loop's responses (RFC 9110 section 6.6.1), formatted once a second.
struct DateHeader {
    /// `Date: Sun, 06 Nov 1994 08:49:37 GMT` and CRLF.
    private(set) var line: [UInt8] = []
    private var second: Int = .min

    /// Brings the line up to date; called before it is used.
    mutating func refresh() {
        refresh(second: Int(cevent_wall_seconds()))
    }

    /// Formats the line for a second of the Unix epoch.
    mutating func refresh(second now: Int) {
        guard now != second else { return }
        second = now
        var seconds = time_t(now)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let days: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months: [StaticString] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        func digits(_ value: Int32, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let date = "\(days[Int(parts.tm_wday)]), \(digits(parts.tm_mday, 2)) \(months[Int(parts.tm_mon)]) \(digits(parts.tm_year + 1900, 4))"
        let time = "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))"
        line = Array("Date: \(date) \(time) GMT\r\n".utf8)
    }
}
