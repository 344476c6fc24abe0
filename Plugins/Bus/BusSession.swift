import Martlet

/// One client's conversation: takes requests, writes replies. A state machine without I/O; what it needs of the bus it
/// asks of a ``SessionHub``.
///
/// Limits: names of 1,024 bytes; five wrong passwords end the connection; subscriptions are the hub's to bound.
struct BusSession {
    /// Whether the connection goes on.
    enum Outcome {
        case goesOn
        /// Once the replies are sent.
        case ends
    }

    static let nameBytesMax = 1_024
    private static let wrongPasswordsMax = 5

    let number: Int
    var replies = ReplyWriter()
    private(set) var isAuthenticated: Bool
    private(set) var channels: Set<Bytes> = []
    private(set) var patterns: Set<Bytes> = []
    private(set) var clientName = Bytes.empty
    private let password: Bytes?
    private var wrongPasswords = 0

    init(number: Int, password: Bytes?) {
        self.number = number
        self.password = password
        isAuthenticated = password == nil
    }

    /// A client of RESP2 that has subscriptions can only change these.
    var isSubscribed: Bool { !channels.isEmpty || !patterns.isEmpty }

    /// - Parameter request: the command and its arguments; not empty.
    mutating func handle(_ request: [Bytes], _ hub: some SessionHub) -> Outcome {
        let name = CommandName(request[0])
        guard let command = BusCommand(rawValue: name.upper) else {
            isAuthenticated ? replies.error("ERR unknown command '\(name.printable)'") : refuseLogin()
            return .goesOn
        }
        guard isAuthenticated || command.isForEveryone else {
            refuseLogin()
            return .goesOn
        }
        let arguments = request.dropFirst()
        guard command.argumentCount.contains(arguments.count) else {
            replies.error("ERR wrong number of arguments for '\(name.printable)' command")
            return .goesOn
        }
        if replies.version == 2, isSubscribed, !command.isForSubscribers {
            replies.error(
                "ERR Can't execute '\(name.printable)': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
                    + "are allowed in this context")
            return .goesOn
        }
        return run(command, arguments, hub)
    }

    private mutating func run(_ command: BusCommand, _ arguments: ArraySlice<Bytes>, _ hub: some SessionHub) -> Outcome {
        let first = arguments.first ?? .empty
        switch command {
        case .ping: ping(arguments.first)
        case .hello: return hello(arguments)
        case .auth: return logIn(arguments) ? .goesOn : outcomeOfWrongPassword()
        case .subscribe: for name in arguments { subscribe(name, isPattern: false, hub) }
        case .psubscribe: for name in arguments { subscribe(name, isPattern: true, hub) }
        case .unsubscribe: unsubscribe(arguments, isPattern: false, hub)
        case .punsubscribe: unsubscribe(arguments, isPattern: true, hub)
        case .publish: publish(to: first, arguments.last ?? .empty, hub)
        case .pubsub: pubsub(arguments, hub)
        case .client: client(arguments)
        // Clients ask at their start what there is; they do without an answer.
        case .command: replies.array(0)
        case .select: first == "0" ? replies.status("OK") : replies.error("ERR DB index is out of range: a bus has no databases")
        case .reset: reset(hub)
        case .quit:
            replies.status("OK")
            return .ends
        }
        return .goesOn
    }

    private mutating func ping(_ text: Bytes?) {
        if replies.version == 2, isSubscribed {
            replies.array(2)
            replies.bulk("pong")
            replies.bulk(text ?? .empty)
        } else if let text {
            replies.bulk(text)
        } else {
            replies.status("PONG")
        }
    }

    // MARK: Logging in

    private mutating func refuseLogin() {
        replies.error("NOAUTH Authentication required.")
    }

    /// Returns false if it failed; then the answer is written. On success it is the caller's.
    private mutating func checkPassword(user: Bytes, _ given: Bytes) -> Bool {
        guard let password else {
            replies.error(
                "ERR AUTH <password> called without any password configured for the default user. "
                    + "Are you sure your configuration is correct?")
            return false
        }
        guard user == "default", Self.isSame(given, password) else {
            wrongPasswords += 1
            replies.error("WRONGPASS invalid username-password pair or user is disabled.")
            return false
        }
        isAuthenticated = true
        return true
    }

    private mutating func logIn(_ arguments: ArraySlice<Bytes>) -> Bool {
        let user = arguments.count == 2 ? arguments.first ?? .empty : "default"
        guard checkPassword(user: user, arguments.last ?? .empty) else { return false }
        replies.status("OK")
        return true
    }

    private func outcomeOfWrongPassword() -> Outcome {
        wrongPasswords >= Self.wrongPasswordsMax ? .ends : .goesOn
    }

    /// In a time that does not depend on where they differ.
    private static func isSame(_ left: Bytes, _ right: Bytes) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<left.count { difference |= left[index] ^ right[index] }
        return difference == 0
    }

    /// `HELLO [2|3 [AUTH user password] [SETNAME name]]`
    private mutating func hello(_ arguments: ArraySlice<Bytes>) -> Outcome {
        var rest = arguments
        var version = replies.version
        if let wanted = rest.popFirst() {
            guard wanted == "2" || wanted == "3" else {
                replies.error("NOPROTO unsupported protocol version")
                return .goesOn
            }
            version = wanted == "2" ? 2 : 3
        }
        var name = clientName
        while let option = rest.popFirst() {
            switch CommandName(option).upper {
            case "AUTH" where rest.count >= 2:
                guard checkPassword(user: rest.removeFirst(), rest.removeFirst()) else { return outcomeOfWrongPassword() }
            case "SETNAME" where !rest.isEmpty:
                name = rest.removeFirst()
                guard isGoodClientName(name) else { return .goesOn }
            default:
                replies.error("ERR Syntax error in HELLO option '\(CommandName(option).printable)'")
                return .goesOn
            }
        }
        guard isAuthenticated else {
            replies.error(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> "
                    + "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time")
            return .goesOn
        }
        clientName = name
        replies.version = version
        describeServer()
        return .goesOn
    }

    private mutating func describeServer() {
        replies.map(7)
        for (key, value) in [("server", "redis"), ("version", "7.0.0")] {
            replies.bulk(key)
            replies.bulk(value)
        }
        replies.bulk("proto")
        replies.integer(replies.version)
        replies.bulk("id")
        replies.integer(number)
        for (key, value) in [("mode", "standalone"), ("role", "master")] {
            replies.bulk(key)
            replies.bulk(value)
        }
        replies.bulk("modules")
        replies.array(0)
    }

    // MARK: Subscriptions

    private mutating func subscribe(_ name: Bytes, isPattern: Bool, _ hub: some SessionHub) {
        guard name.count <= Self.nameBytesMax else {
            replies.error("ERR a channel name has at most \(Self.nameBytesMax) bytes")
            return
        }
        let isNew = isPattern ? !patterns.contains(name) : !channels.contains(name)
        if isNew {
            guard hub.subscribe(name, isPattern: isPattern, session: number) else {
                replies.error("ERR the bus has as many subscriptions as it may (max_subscriptions)")
                return
            }
            if isPattern { patterns.insert(name) } else { channels.insert(name) }
        }
        confirm(isPattern ? "psubscribe" : "subscribe", name)
    }

    private mutating func unsubscribe(_ names: ArraySlice<Bytes>, isPattern: Bool, _ hub: some SessionHub) {
        let kind = isPattern ? "punsubscribe" : "unsubscribe"
        let leaving = names.isEmpty ? Array(isPattern ? patterns : channels) : Array(names)
        if leaving.isEmpty { confirm(kind, nil) }
        for name in leaving {
            let wasThere = isPattern ? patterns.remove(name) != nil : channels.remove(name) != nil
            if wasThere { hub.unsubscribe(name, isPattern: isPattern, session: number) }
            confirm(kind, name)
        }
    }

    private mutating func confirm(_ kind: String, _ name: Bytes?) {
        replies.push(3)
        replies.bulk(kind)
        if let name { replies.bulk(name) } else { replies.null() }
        replies.integer(channels.count + patterns.count)
    }

    /// Ends all subscriptions, without a word to the client.
    mutating func leave(_ hub: some SessionHub) {
        for name in channels { hub.unsubscribe(name, isPattern: false, session: number) }
        for name in patterns { hub.unsubscribe(name, isPattern: true, session: number) }
        channels = []
        patterns = []
    }

    private mutating func reset(_ hub: some SessionHub) {
        leave(hub)
        replies.version = 2
        clientName = .empty
        isAuthenticated = password == nil
        replies.status("RESET")
    }

    // MARK: The rest

    private mutating func publish(to channel: Bytes, _ payload: Bytes, _ hub: some SessionHub) {
        guard channel.count <= Self.nameBytesMax else {
            replies.error("ERR a channel name has at most \(Self.nameBytesMax) bytes")
            return
        }
        replies.integer(hub.publish(payload, to: channel))
    }

    private mutating func pubsub(_ arguments: ArraySlice<Bytes>, _ hub: some SessionHub) {
        let name = CommandName(arguments.first ?? .empty)
        let rest = arguments.dropFirst()
        switch name.upper {
        case "CHANNELS" where rest.count <= 1:
            let names = hub.channels(matching: rest.first.map { ChannelPattern($0) })
            replies.array(names.count)
            for name in names { replies.bulk(name) }
        case "NUMSUB":
            replies.array(rest.count * 2)
            for channel in rest {
                replies.bulk(channel)
                replies.integer(hub.subscriberCount(of: channel))
            }
        case "NUMPAT" where rest.isEmpty: replies.integer(hub.patternCount)
        default:
            replies.error("ERR Unknown PUBSUB subcommand or wrong number of arguments for '\(name.printable)'")
        }
    }

    private mutating func client(_ arguments: ArraySlice<Bytes>) {
        let name = CommandName(arguments.first ?? .empty)
        switch (name.upper, arguments.count) {
        case ("ID", 1): replies.integer(number)
        case ("GETNAME", 1): clientName.isEmpty ? replies.null() : replies.bulk(clientName)
        case ("SETNAME", 2):
            let wanted = arguments.last ?? .empty
            guard isGoodClientName(wanted) else { return }
            clientName = wanted
            replies.status("OK")
        // The library's name and version, of which nothing is kept.
        case ("SETINFO", 3): replies.status("OK")
        default: replies.error("ERR Unknown CLIENT subcommand or wrong number of arguments for '\(name.printable)'")
        }
    }

    /// Writes the error if it is not.
    private mutating func isGoodClientName(_ name: Bytes) -> Bool {
        let isGood = name.count <= Self.nameBytesMax && name.withUnsafeBytes { $0.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        if !isGood { replies.error("ERR Client names cannot contain spaces, newlines or special characters.") }
        return isGood
    }
}
