import Martlet

/// A line that a process wrote: a JSON object with a `type`.
struct ExecMessage: Sendable {
    let type: String
    /// `id` as it was written, to be repeated.
    let id: Bytes?
    let number: Int64?
    let protocolVersion: Int64?
    /// JSON, or nil if the message has none.
    let capabilities: Bytes?
    let results: Bytes?
    let events: Bytes?

    private static let lookup = PayloadLookup(
        ["/type", "/id", "/protocol", "/capabilities", "/results", "/events"].compactMap { JSONPointer($0) })

    init(_ line: Bytes, _ reader: any PayloadReader) throws(ModuleError) {
        do throws(PayloadError) {
            try reader.check(line)
            self = try reader.withTokens(of: Self.lookup, in: line) { tokens in
                func json(_ index: Int) -> Bytes? {
                    let token = tokens[index]
                    return token.kind == .missing ? nil : line.slice(token.offset..<token.offset + token.count)
                }
                func integer(_ index: Int) -> Int64? {
                    if case .integer(let number)? = tokens[index].value(in: line) { number } else { nil }
                }
                return ExecMessage(
                    type: tokens[0].kind == .missing ? "" : tokens[0].text(in: line), id: json(1), number: integer(1),
                    protocolVersion: integer(2), capabilities: json(3), results: json(4), events: json(5))
            }
        } catch {
            throw ExecFailure.badOutput("wrote a line of \(line.count) bytes that is not JSON: \(error.message)")
        }
    }

    private init(
        type: String, id: Bytes?, number: Int64?, protocolVersion: Int64?, capabilities: Bytes?, results: Bytes?, events: Bytes?
    ) {
        self.type = type
        self.id = id
        self.number = number
        self.protocolVersion = protocolVersion
        self.capabilities = capabilities
        self.results = results
        self.events = events
    }

    /// What the greeting's answer says.
    func greeting(_ reader: any PayloadReader) throws(ModuleError) -> ExecGreeting {
        guard type == "ready" else {
            throw ExecFailure.badOutput("answered the greeting with \"type\": \(JSONText.quoted(type)) instead of \"ready\"")
        }
        guard protocolVersion == ExecGreeting.version else {
            throw .blocked(
                "exec.protocol",
                "the process speaks protocol \(protocolVersion.map(String.init) ?? "none"), this host speaks "
                    + "\(ExecGreeting.version); install a program that answers \"protocol\": \(ExecGreeting.version)")
        }
        guard let capabilities else { return ExecGreeting(capabilities: []) }
        guard let words = try? reader.elements(of: capabilities) else {
            throw ExecFailure.badOutput("gave capabilities that are no list of strings")
        }
        return ExecGreeting(capabilities: Set(words.compactMap { JSONText.string($0) }))
    }
}

/// The failures of the processes.
enum ExecFailure {
    static func badOutput(_ what: String) -> ModuleError {
        .transient(
            "exec.bad_output",
            "the process \(what); its standard output is for messages only, anything else belongs on standard error")
    }

    static let closed = ModuleError.transient("exec.closed", "the module is closed")

    static let busy = ModuleError.transient(
        "exec.busy", "too many batches wait for the process", retryAfter: .seconds(1))
}
