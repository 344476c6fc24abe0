import Martlet

/// The commands of the bus.
enum BusCommand: String {
    case ping = "PING"
    case hello = "HELLO"
    case auth = "AUTH"
    case subscribe = "SUBSCRIBE"
    case psubscribe = "PSUBSCRIBE"
    case unsubscribe = "UNSUBSCRIBE"
    case punsubscribe = "PUNSUBSCRIBE"
    case publish = "PUBLISH"
    case pubsub = "PUBSUB"
    case client = "CLIENT"
    case command = "COMMAND"
    case select = "SELECT"
    case reset = "RESET"
    case quit = "QUIT"

    /// Whether clients that have not logged in may use it.
    var isForEveryone: Bool {
        switch self {
        case .auth, .hello, .reset, .quit: true
        default: false
        }
    }

    /// Whether clients with subscriptions may use it in RESP2.
    var isForSubscribers: Bool {
        switch self {
        case .subscribe, .psubscribe, .unsubscribe, .punsubscribe, .ping, .reset, .quit: true
        default: false
        }
    }

    /// Beside the command itself.
    var argumentCount: ClosedRange<Int> {
        switch self {
        case .ping: 0...1
        case .hello: 0...6
        case .auth: 1...2
        case .subscribe, .psubscribe, .pubsub, .client: 1...Int.max
        case .unsubscribe, .punsubscribe, .command: 0...Int.max
        case .publish: 2...2
        case .select: 1...1
        case .reset, .quit: 0...Int.max
        }
    }
}

/// A command's or subcommand's name as the client wrote it.
struct CommandName {
    private static let bytesMax = 64
    private let text: String

    init(_ bytes: Bytes) {
        text = bytes.slice(0..<min(bytes.count, Self.bytesMax)).string
    }

    var upper: String { text.uppercased() }

    /// Fit for an error reply, whose end is the end of its line.
    var printable: String {
        String(text.unicodeScalars.map { $0.value >= 0x20 && $0.value != 0x7F ? Character($0) : " " })
    }
}
