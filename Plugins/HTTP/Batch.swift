import Martlet

/// The events of an array or an NDJSON body, those that the checks refused set apart.
struct Batch: Sendable {
    /// How an event is named in the answer.
    enum Numbering: String {
        /// A place in the array, from 0.
        case index
        /// A line of the body, from 1.
        case line
    }

    let numbering: Numbering
    private(set) var payloads: [Bytes] = []
    /// The number of each payload's event.
    private(set) var numbers: [Int] = []
    private(set) var refusals: [(number: Int, refusal: Refusal)] = []

    /// One event a line; a line that is not JSON is refused alone.
    init(lines body: Bytes, limit: Int, checker: EventChecker) throws(Refusal) {
        numbering = .line
        for line in LineSplitter(body) {
            guard payloads.count + refusals.count < limit else { throw .tooManyEvents(limit: limit) }
            add(line.content, line.number) { (payload) throws(Refusal) in try checker.check(payload) }
        }
    }

    /// One event an element. An array that is not JSON is refused as a whole.
    init(array body: Bytes, limit: Int, checker: EventChecker) throws(Refusal) {
        numbering = .index
        let elements = try checker.elements(of: body, limit: limit)
        guard checker.schema != nil else {
            payloads = elements
            numbers = Array(elements.indices)
            return
        }
        for (index, element) in elements.enumerated() {
            add(element, index) { (payload) throws(Refusal) in try checker.checkSchema(payload) }
        }
    }

    /// Events that were checked already.
    init(checked payloads: [Bytes]) {
        numbering = .index
        self.payloads = payloads
        numbers = Array(payloads.indices)
    }

    private mutating func add(_ payload: Bytes, _ number: Int, check: (Bytes) throws(Refusal) -> Void) {
        do throws(Refusal) {
            try check(payload)
            payloads.append(payload)
            numbers.append(number)
        } catch {
            refusals.append((number, error))
        }
    }
}
