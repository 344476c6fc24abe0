import CHiredis
import Martlet

/// The commands that a new connection begins with, all sent at once, and what their answers mean.
struct RedisGreeting {
    enum Step {
        case login, name, select, ping
    }

    /// `PING` as it is sent.
    static let ping = Array("*1\r\n$4\r\nPING\r\n".utf8)

    let steps: [Step]
    let commands: [UInt8]
    private let settings: RedisSettings
    private var answered = 0

    init(_ settings: RedisSettings) {
        self.settings = settings
        let endpoint = settings.endpoint
        var steps: [Step] = []
        var commands: [UInt8] = []
        if let password = endpoint.password {
            steps.append(.login)
            commands += Self.command(["AUTH"] + (endpoint.user.map { [$0] } ?? []) + [password])
        }
        steps.append(.name)
        commands += Self.command(["CLIENT", "SETNAME", settings.clientName])
        if endpoint.database != 0 {
            steps.append(.select)
            commands += Self.command(["SELECT", String(endpoint.database)])
        }
        // So that a server that wants a password says so now.
        steps.append(.ping)
        commands += Self.ping
        self.steps = steps
        self.commands = commands
    }

    var isDone: Bool { answered == steps.count }

    /// Takes the next answer. Returns why the server will not serve us, if it will not.
    mutating func take(_ reply: redisReply) -> ModuleError? {
        let step = steps[answered]
        answered += 1
        guard reply.type == REDIS_REPLY_ERROR else { return nil }
        let what: String
        switch step {
        case .login: what = "the login"
        // A user who may not name connections can still publish.
        case .name: return nil
        case .select: what = "database \(settings.endpoint.database)"
        case .ping: what = "the connection"
        }
        return RedisFailure.reply(reply.text, doing: what, at: settings.endpoint)
    }

    /// An array of bulk strings.
    static func command(_ words: [String]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "*")]
        bytes.append(decimal: Int64(words.count))
        bytes.append(literal: "\r\n")
        for word in words {
            bytes.append(UInt8(ascii: "$"))
            bytes.append(decimal: Int64(word.utf8.count))
            bytes.append(literal: "\r\n")
            bytes.append(contentsOf: word.utf8)
            bytes.append(literal: "\r\n")
        }
        return bytes
    }
}

