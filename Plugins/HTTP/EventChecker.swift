import Martlet

/// Checks one event's body.
struct EventChecker: Sendable {
    let payloads: any PayloadReader
    let schema: (any SchemaValidator)?

    /// One JSON value without duplicate keys, that the schema allows.
    func check(_ payload: Bytes) throws(Refusal) {
        do throws(PayloadError) {
            try payloads.check(payload)
        } catch {
            throw .malformed(error)
        }
        try checkSchema(payload)
    }

    /// For a payload that is known to be JSON.
    func checkSchema(_ payload: Bytes) throws(Refusal) {
        guard let schema else { return }
        let problems: [String]
        do throws(PayloadError) {
            problems = try schema.problems(in: payload)
        } catch {
            throw .malformed(error)
        }
        if !problems.isEmpty { throw .invalid(problems) }
    }
}
