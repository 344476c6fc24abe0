import CPQ
import Martlet

/// What the parts of a `postgres` database need to know of its config.
struct PostgreSQLSettings: Sendable {
    /// The database's name in the config.
    let name: String
    /// Holds the password: never to be printed.
    let url: String
    /// The url's password, to be taken out of whatever libpq says; nil if there is none.
    let password: String?
    let schema: [SchemaStep]
    let connectTimeoutMilliseconds: Int
    let statementTimeoutMilliseconds: Int

    /// Nil, with a problem reported, if the url is none.
    init?(config: PostgreSQLConfig, context: ModuleContext) {
        let url = config.url.plain
        guard !url.isEmpty, !url.utf8.contains(0), let options = PQconninfoParse(url, nil) else {
            // libpq's own message may quote a part of the password.
            context.problem(
                at: config.url.place,
                "must be a PostgreSQL URL such as postgres://user@host:5432/database?sslmode=require; special characters in user "
                    + "and password are percent-encoded")
            return nil
        }
        defer { PQconninfoFree(options) }
        var password: String?
        var option = options
        while let keyword = option.pointee.keyword {
            if String(cString: keyword) == "password", let value = option.pointee.val { password = String(cString: value) }
            option += 1
        }
        if let password, !password.isEmpty, !config.url.isSecret {
            context.problem(
                at: config.url.place,
                "holds a password in plain text; write it as `${env:NAME}` or `${file:PATH}`, or use a .pgpass file")
            return nil
        }
        name = context.name
        self.url = url
        self.password = password?.isEmpty == true ? nil : password
        schema = config.schema
        connectTimeoutMilliseconds = config.connectTimeoutMilliseconds
        statementTimeoutMilliseconds = config.statementTimeoutMilliseconds
    }

    /// A message of libpq without the password, on one line.
    func clean(_ message: String) -> String {
        var text = message.split(whereSeparator: \.isNewline).map { $0.trimmed }.joined(separator: "; ")
        guard let password else { return text }
        while let range = text.firstRange(of: password) { text.replaceSubrange(range, with: "…") }
        return text
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
