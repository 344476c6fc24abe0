import Martlet

/// What a transform's process made of one record.
enum ExecChange: Sendable {
    case keep
    case drop
    case replace([ExecEvent])
    case fail(ModuleError)

    /// - Parameter entry: an entry of `results`: `"keep"`, `"drop"`, an event, a list of events, or an error.
    init(_ entry: Bytes, _ reader: any PayloadReader) throws(ModuleError) {
        if entry.count > 0, entry[0] == UInt8(ascii: "[") {
            guard let parts = try? reader.elements(of: entry) else { throw ExecFailure.badOutput("gave a result that cannot be read") }
            var events: [ExecEvent] = []
            for part in parts { events.append(try ExecResult(part, reader).event) }
            self = events.isEmpty ? .drop : .replace(events)
            return
        }
        let result = try ExecResult(entry, reader)
        switch result.word {
        case nil:
            self = if let error = result.error { .fail(error) } else { .replace([result.event]) }
        case "keep":
            self = .keep
        case "drop":
            self = .drop
        case let word?:
            throw ExecFailure.badOutput(
                "gave the result \(JSONText.quoted(word)) for a record; a transform answers \"keep\", \"drop\", an object or a list of objects")
        }
    }

    /// Throws if the record is to come again: then its whole batch does.
    func result(for record: Record) throws(ModuleError) -> TransformResult {
        switch self {
        case .keep: return .keep(record)
        case .drop: return .drop
        case .fail(let error):
            guard error.kind == .permanent else { throw error }
            return .fail(error)
        case .replace(let events):
            let records = events.map { event in
                var copy = record
                if let payload = event.payload { copy.event.payload = payload }
                if let key = event.key { copy.event.key = key }
                if event.headers != nil { copy.event.headers = event.headerList }
                return copy
            }
            return records.count == 1 ? .keep(records[0]) : .split(records)
        }
    }
}
