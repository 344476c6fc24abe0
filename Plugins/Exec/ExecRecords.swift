import Martlet

/// Records as the JSON arrays that a process gets, none longer than a line may be.
struct ExecRecords {
    /// Some of a batch's records that go out in one line.
    struct Part {
        let range: Range<Int>
        let json: [UInt8]
    }

    /// For what stands around the records of a line.
    private static let envelopeBytes = 64

    private(set) var parts: [Part] = []
    /// Records that are too large, by their place in the batch.
    private(set) var tooLarge: [Int: ModuleError] = [:]

    init(_ batch: [Record], maxLineBytes: Int, reader: any PayloadReader) {
        let limit = maxLineBytes - Self.envelopeBytes
        var json: [UInt8] = []
        var first = 0
        func finish(_ end: Int) {
            if !json.isEmpty { parts.append(Part(range: first..<end, json: json + [UInt8(ascii: "]")])) }
            json = []
        }
        for (index, record) in batch.enumerated() {
            var text: [UInt8] = []
            RecordLine.append(record, isJSON: (try? reader.check(record.event.payload)) != nil, to: &text)
            guard text.count <= limit else {
                finish(index)
                tooLarge[index] = .permanent(
                    "exec.record_too_large",
                    "the record takes \(text.count) bytes as JSON, and a line of the process has \(maxLineBytes) (`max_line_bytes`)")
                continue
            }
            if json.count + text.count > limit { finish(index) }
            if json.isEmpty { first = index }
            json.append(json.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ","))
            json += text
        }
        finish(batch.count)
    }
}
