import CJQ
import Martlet

/// A compiled program: one state of libjq, which takes about 20 ms to make.
final class JQProgram: @unchecked Sendable {
    // Unchecked: a state is used by one thread at a time, which JQPool sees to.
    private var state: OpaquePointer?
    private let usesVariables: Bool

    /// What a program made of one record.
    enum Outcome {
        /// One output, equal to the input.
        case unchanged
        /// JSON texts, in order.
        case outputs([Bytes])
        case failed(String)
    }

    /// Why libjq does not compile a program.
    struct CompileError: Error {
        let message: String
        /// From 0; nil if libjq does not say.
        let line: Int?
    }

    init(_ source: JQSource) throws(CompileError) {
        guard let state = jq_init() else { throw CompileError(message: "out of memory", line: nil) }
        self.state = state
        usesVariables = source.usesVariables
        let messages = JQMessages()
        jq_set_error_cb(state, receiveJQMessage, Unmanaged.passUnretained(messages).toOpaque())
        let isCompiled = source.text.withCString { jq_compile(state, $0) } != 0
        jq_set_error_cb(state, ignoreJQMessage, nil)
        guard isCompiled else { throw messages.compileError(of: source) }
    }

    deinit {
        jq_teardown(&state)
    }

    /// Runs the program to its end. Cannot be interrupted: libjq 1.6 has no means to.
    ///
    /// - Parameter limit: how many outputs it may have.
    func run(_ record: Record, limit: Int) -> Outcome {
        let payload = record.event.payload.withUnsafeBytes { bytes in
            jv_parse_sized(bytes.assumingMemoryBound(to: CChar.self).baseAddress, Int32(clamping: bytes.count))
        }
        defer { jv_free(payload) }
        guard jv_get_kind(payload) != JV_KIND_INVALID else { return .failed("the payload is not JSON") }
        jq_start(state, usesVariables ? wrapped(payload, record) : jv_copy(payload), 0)
        // Gives the record's memory back before the next one comes.
        defer { jq_start(state, jv_null(), 0) }
        var outputs: [Bytes] = []
        var isUnchanged = false
        while true {
            let output = jq_next(state)
            guard jv_get_kind(output) != JV_KIND_INVALID else {
                if let message = failure(output) { return .failed(message) }
                return isUnchanged && outputs.count == 1 ? .unchanged : .outputs(outputs)
            }
            guard outputs.count < limit else {
                jv_free(output)
                return .failed("more than \(limit) outputs for one record")
            }
            if outputs.isEmpty {
                isUnchanged = jv_equal(jv_copy(output), jv_copy(payload)) != 0
                if isUnchanged {
                    jv_free(output)
                    outputs.append(record.event.payload)
                    continue
                }
            }
            outputs.append(text(output))
        }
    }

    /// Consumes what ended a run: an error's message, or nil if it was the end. `halt` is an end, `halt_error` a failure.
    private func failure(_ last: jv) -> String? {
        if jq_halted(state) != 0 {
            jv_free(last)
            // libjq 1.6 lends these two: they stay the state's.
            guard jv_get_kind(jq_get_exit_code(state)) != JV_KIND_INVALID else { return nil }
            return message(jv_copy(jq_get_error_message(state)))
        }
        guard jv_invalid_has_msg(jv_copy(last)) != 0 else {
            jv_free(last)
            return nil
        }
        return message(jv_invalid_get_msg(last))
    }

    /// Consumes a value that describes an error.
    private func message(_ value: jv) -> String {
        let isText = jv_get_kind(value) == JV_KIND_STRING
        let message = isText ? JQText.take(value) : JQText.take(jv_dump_string(value, 0))
        return JQText.clipped(message)
    }

    /// Consumes a value: its JSON text.
    private func text(_ value: jv) -> Bytes {
        let text = jv_dump_string(value, 0)
        defer { jv_free(text) }
        let count = Int(jv_string_length_bytes(jv_copy(text)))
        return Bytes(copying: UnsafeRawBufferPointer(start: jv_string_value(text), count: count))
    }

    /// The input of a program that uses variables; see ``JQSource/text``.
    private func wrapped(_ payload: jv, _ record: Record) -> jv {
        let event = record.event
        var headers = jv_object()
        // The first header of a name counts, as in `Event.header`.
        for header in event.headers.reversed() {
            headers = jv_object_set(headers, JQText.make(header.name), JQText.make(header.value))
        }
        var input = jv_object_set(jv_object(), jv_string("payload"), jv_copy(payload))
        input = jv_object_set(input, jv_string("id"), JQText.make(event.id))
        input = jv_object_set(input, jv_string("key"), event.key.map { JQText.make($0) } ?? jv_null())
        input = jv_object_set(input, jv_string("topic"), JQText.make(record.topic.text))
        input = jv_object_set(input, jv_string("timestamp"), jv_number(Double(event.timestamp)))
        return jv_object_set(input, jv_string("headers"), headers)
    }
}
