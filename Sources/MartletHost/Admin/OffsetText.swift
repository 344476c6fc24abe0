import Martlet

/// A place in a partition as people write it: `earliest`, `latest`, `42`, `-10` (the last ten) or `@1700000000000`.
enum OffsetText: Sendable, Hashable {
    case earliest
    case latest
    case offset(Offset)
    /// So many records before the end.
    case last(Int64)
    /// Milliseconds since the epoch.
    case time(Int64)

    static let expected = "earliest, latest, an offset, -N for the last N, or @MILLISECONDS since the epoch"

    /// Nil if the text is none of these.
    init?(_ text: String) {
        switch text {
        case "earliest": self = .earliest
        case "latest": self = .latest
        default:
            if text.hasPrefix("@") {
                guard let time = Int64(text.dropFirst()), time >= 0 else { return nil }
                self = .time(time)
            } else {
                guard let number = Int64(text), number > .min else { return nil }
                self = text.hasPrefix("-") ? .last(-number) : .offset(number)
            }
        }
    }

    /// As it goes into a request.
    var text: String {
        switch self {
        case .earliest: "earliest"
        case .latest: "latest"
        case .offset(let offset): String(offset)
        case .last(let count): "-\(count)"
        case .time(let time): "@\(time)"
        }
    }
}
