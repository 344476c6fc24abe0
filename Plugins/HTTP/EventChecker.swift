import Martlet

/// Checks one event's body.
struct EventChecker: Sendable {
    let payloads: any PayloadReader
    let schema: (any SchemaValidator)?

    /// The elements of a JSON array, of which there must not be more than the limit.
    func elements(of body: Bytes, limit: Int) throws(Refusal) -> [Bytes] {
        let elements: [Bytes]
        do throws(PayloadError) {
            elements = try payloads.elements(of: body)
        } catch {
            throw .malformed(error)
        }
        guard elements.count <= limit else { throw .tooManyEvents(limit: limit) }
        return elements
    }

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
