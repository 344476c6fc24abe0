/// A length of time as people write it: `500ms`, `90s`, `15m`, `2h`, `7d`.
enum DurationText {
    static let expected = "a number with a unit: 500ms, 90s, 15m, 2h or 7d"

    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// Milliseconds; nil if the text is no length of time.
    static func parse(_ text: String) -> Int64? {
        for unit in units where text.hasSuffix(unit.suffix) {
            guard let number = Int64(text.dropLast(unit.suffix.count)), number >= 0 else { continue }
            let (milliseconds, isTooLong) = number.multipliedReportingOverflow(by: unit.milliseconds)
            return isTooLong ? nil : milliseconds
        }
        return nil
    }
}
