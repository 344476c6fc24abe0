import Glibc
import Martlet

/// A time zone of the system's database (`/usr/share/zoneinfo`), read from its file (RFC 8536, version 2 and up): the changes of
/// its offset that are known, and the rule for those to come.
struct TimeZoneFile: Sendable {
    /// Why there is no such zone.
    struct Mistake: Error {
        let message: String
    }

    static let folder = "/usr/share/zoneinfo"

    /// UTC.
    static let utc = TimeZoneFile(changes: [], first: 0, rule: nil)

    /// When offsets begin, in seconds since the epoch, in rising order.
    private let changes: [(at: Int, offset: Int)]
    /// The offset before the first change.
    private let first: Int
    private let rule: TimeZoneRule?

    private init(changes: [(at: Int, offset: Int)], first: Int, rule: TimeZoneRule?) {
        self.changes = changes
        self.first = first
        self.rule = rule
    }

    /// The zone of a name such as `Europe/Berlin`; blocks for a moment.
    init(named name: String) throws(Mistake) {
        if name == "UTC" {
            self = .utc
            return
        }
        let isName = !name.isEmpty && !name.hasPrefix("/") && !name.split(separator: "/", omittingEmptySubsequences: false).contains { $0.isEmpty || $0 == ".." || $0 == "." }
        guard isName else { throw Mistake(message: "is no name of a time zone; expected UTC, or one such as Europe/Berlin") }
        let path = Self.folder + "/" + name
        guard let bytes = Self.contents(path) else {
            throw Mistake(
                message: "is no time zone of this machine (\(path) cannot be read); expected UTC, or a name such as Europe/Berlin, with the package tzdata installed")
        }
        guard let parsed = Self.parse(bytes) else { throw Mistake(message: "cannot be used: \(path) is no time zone file of version 2 or later") }
        self = parsed
    }

    /// Seconds east of UTC at a moment.
    func offset(at moment: Int) -> Int {
        guard let last = changes.last else { return rule?.offset(at: moment) ?? first }
        if moment >= last.at { return rule?.offset(at: moment) ?? last.offset }
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].at <= moment { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : changes[low - 1].offset
    }

    /// The moments at which clocks show a local time: none, while they are put forward; two, while they are put back.
    ///
    /// - Parameter local: seconds, as if the clock showed UTC.
    func moments(of local: Int) -> [Int] {
        // An offset lies within a day.
        let offsets = Set([offset(at: local - 86_400), offset(at: local), offset(at: local + 86_400)])
        return offsets.map { local - $0 }.filter { offset(at: $0) == local - $0 }.sorted()
    }

    /// The moment when clocks that are put forward past a local time show the next one that there is.
    func momentAfterGap(at local: Int) -> Int {
        var low = local - offset(at: local - 86_400) - 86_400
        var high = low + 2 * 86_400
        // Local time rises with the moments but for the jump that is looked for.
        while low < high {
            let middle = low + (high - low) / 2
            if middle + offset(at: middle) < local { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func contents(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count) }
            if more <= 0 { break }
            count += more
        }
        return count > 0 ? Array(bytes[..<count]) : nil
    }

    private static func parse(_ bytes: [UInt8]) -> TimeZoneFile? {
        func number(_ start: Int, _ width: Int) -> Int? {
            guard start >= 0, start + width <= bytes.count else { return nil }
            let value = bytes[start..<start + width].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return width == 4 ? Int(Int32(truncatingIfNeeded: value)) : Int(Int64(bitPattern: value))
        }
        func counts(_ start: Int) -> [Int]? {
            guard start + 44 <= bytes.count, bytes[start..<start + 4].elementsEqual("TZif".utf8), bytes[start + 4] >= UInt8(ascii: "2") else { return nil }
            let found = (0..<6).compactMap { number(start + 20 + $0 * 4, 4) }
            return found.count == 6 && found.allSatisfy { $0 >= 0 && $0 <= 100_000 } ? found : nil
        }
        // isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt. The first part has 32 bits and is for old readers.
        guard let old = counts(0) else { return nil }
        let second = 44 + old[3] * 5 + old[4] * 6 + old[5] + old[2] * 8 + old[1] + old[0]
        guard let new = counts(second) else { return nil }
        let times = second + 44
        let indexes = times + new[3] * 8
        let types = indexes + new[3]
        let footer = types + new[4] * 6 + new[5] + new[2] * 12 + new[1] + new[0]
        guard footer < bytes.count, new[4] > 0 else { return nil }
        let offsets = (0..<new[4]).compactMap { number(types + $0 * 6, 4) }
        var changes: [(at: Int, offset: Int)] = []
        for index in 0..<new[3] {
            guard let at = number(times + index * 8, 8), Int(bytes[indexes + index]) < offsets.count else { return nil }
            changes.append((at, offsets[Int(bytes[indexes + index])]))
        }
        let text = String(decoding: bytes[footer...].filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard let first = offsets.first else { return nil }
        return TimeZoneFile(changes: changes, first: first, rule: TimeZoneRule(text))
    }
}
