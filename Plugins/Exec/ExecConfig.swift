package import Martlet

/// The fields of `"type": "exec"` in a sink and a transform.
package struct ExecConfig: ModuleConfig {
    let process: ExecSettings
    let batchTimeout: Duration

    package init(from fields: inout ConfigFields) {
        process = ExecSettings(from: &fields)
        batchTimeout = .milliseconds(
            fields.optional(
                "batch_timeout_ms", default: 30_000, in: 10...3_600_000,
                "How long the process may take over a batch; then it is killed, and the batch comes again."))
    }
}

/// The fields of `"type": "exec"` in a source.
package struct ExecSourceConfig: ModuleConfig {
    let process: ExecSettings
    let maxInFlightEvents: Int

    package init(from fields: inout ConfigFields) {
        process = ExecSettings(from: &fields)
        maxInFlightEvents = fields.optional(
            "max_in_flight_events", default: 10_000, in: 1...1_000_000,
            "Events taken from the process whose results it has not been sent; beyond it nothing is read from it.")
    }
}

/// What all three kinds say about their process.
struct ExecSettings: Sendable {
    let command: [String]
    let place: ConfigPlace
    let workingDirectory: String?
    let environment: [(name: String, value: String)]
    /// The options as JSON.
    let options: String
    let startTimeout: Duration
    let stopTimeout: Duration
    let restartMaximum: Duration
    let maxLineBytes: Int

    init(from fields: inout ConfigFields) {
        command = fields.required(
            "command", "The program and its arguments; a program without `/` is looked for in PATH.", example: ["python3", "audit.py"])
        place = fields.place(of: "command")
        let folder: ConfigFilePath? = fields.optional(
            "working_directory", "Where the process runs; left out, the config file's folder.", example: "scripts")
        workingDirectory = folder?.resolved
        let variables: ConfigMap<String> = fields.optional(
            "environment", default: [:],
            "Variables that the process gets beside PATH, HOME, USER, TMPDIR, TZ, LANG and LC_*, which are the host's; it gets no others.",
            example: ["CHAT_URL": "${env:CHAT_URL}"])
        environment = variables.map { ($0.key, $0.value) }
        let object: ConfigObject = fields.optional("options", default: [:], "Passed to the process in the greeting.", example: ["room": "ops"])
        options = object.jsonText
        startTimeout = .milliseconds(
            fields.optional(
                "start_timeout_ms", default: 10_000, in: 10...600_000, "How long the process may take to answer the greeting."))
        stopTimeout = .milliseconds(
            fields.optional(
                "stop_timeout_ms", default: 5_000, in: 10...600_000,
                "How long the process may go on once its standard input is closed, before SIGTERM, and after that before SIGKILL."))
        restartMaximum = .milliseconds(
            fields.optional(
                "restart_max_ms", default: 30_000, in: 10...3_600_000,
                "The longest wait before a process that ended is started again; the first is 100 ms, each further twice as long."))
        maxLineBytes = fields.optional(
            "max_line_bytes", default: 16_777_216, in: 1024...1_073_741_824, "The longest line in either direction.")
        if command.first?.isEmpty ?? true {
            fields.problem(at: "command", "needs at least the program's name")
        }
        if let bad = environment.first(where: { $0.name.isEmpty || $0.name.contains("=") }) {
            fields.problem(at: "environment", "a variable's name is not empty and has no `=`", found: JSONText.quoted(bad.name))
        }
    }
}
