/// The file `topic` in a topic's folder: lines of `name=value`, the last a checksum of the others,
/// so that an operator can read it.
enum TopicFile {
    static let name = "topic"
    private static let firstLine = "martlet-topic 1"

    static func encode(name: String, incarnation: UUIDBytes, _ configuration: TopicConfiguration) -> [UInt8] {
        var text = "\(firstLine)\nname=\(name)\nincarnation=\(incarnation.text)\npartitions=\(configuration.partitions)\n"
        text += "cleanup=\(configuration.cleanup.rawValue)\n"
        if let value = configuration.retentionMilliseconds { text += "retention_ms=\(value)\n" }
        if let value = configuration.retentionBytes { text += "retention_bytes=\(value)\n" }
        if let value = configuration.segmentBytes { text += "segment_bytes=\(value)\n" }
        text += "compaction_age_ms=\(configuration.compactionAgeMilliseconds)\ntombstone_ms=\(configuration.tombstoneMilliseconds)\n"
        if configuration.compression != .none { text += "compression=\(configuration.compression.rawValue)\n" }
        if let window = configuration.deduplication {
            text += "deduplicate_events=\(window.events)\ndeduplicate_ms=\(window.milliseconds)\n"
        }
        return Array((text + "crc32c=\(checksum(of: text))\n").utf8)
    }

    static func decode(_ bytes: [UInt8], path: String) throws(LogError) -> (name: String, incarnation: UUIDBytes, TopicConfiguration) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.first == firstLine else {
            throw LogError(
                .unsupportedVersion, "the topic file starts with \"\(lines.first ?? "")\", expected \"\(firstLine)\"", path: path)
        }
        let covered = checksum(of: lines.dropLast().joined(separator: "\n") + "\n")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
        }
        guard fields["crc32c"] == covered else {
            throw LogError(
                .checksumMismatch, "the topic file has checksum \(fields["crc32c"] ?? "none"), its text \(covered); restore it, \(LogError.lastResort)",
                path: path)
        }
        guard let name = fields["name"], let incarnation = fields["incarnation"].flatMap(UUIDBytes.init(text:)),
            let partitions = fields["partitions"].flatMap(Int.init), partitions > 0,
            let cleanup = fields["cleanup"].flatMap(Cleanup.init(rawValue:)),
            let compression = Compression(rawValue: fields["compression"] ?? Compression.none.rawValue)
        else { throw LogError(.damaged, "the topic file lacks a field", path: path) }
        let window = fields["deduplicate_events"].flatMap { Int($0) }.flatMap { events in
            fields["deduplicate_ms"].flatMap { Int64($0) }.map { DeduplicationWindow(events: events, milliseconds: $0) }
        }
        let configuration = TopicConfiguration(
            partitions: partitions, retentionMilliseconds: fields["retention_ms"].flatMap { Int64($0) },
            retentionBytes: fields["retention_bytes"].flatMap { Int64($0) }, segmentBytes: fields["segment_bytes"].flatMap { Int($0) },
            cleanup: cleanup, compactionAgeMilliseconds: fields["compaction_age_ms"].flatMap { Int64($0) } ?? 0,
            tombstoneMilliseconds: fields["tombstone_ms"].flatMap { Int64($0) } ?? 86_400_000, compression: compression, deduplication: window)
        return (name, incarnation, configuration)
    }

    /// Whether the last line is the checksum of the others, whatever they say.
    static func hasItsChecksum(_ bytes: [UInt8]) -> Bool {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        return lines.last == "crc32c=" + checksum(of: lines.dropLast().joined(separator: "\n") + "\n")
    }

    /// Eight hexadecimal digits.
    private static func checksum(of text: String) -> String {
        let digits = String(Array(text.utf8).withUnsafeBytes { CRC32C.of($0) }, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }

    /// Kafka's rule for names.
    static func isValidTopicName(_ name: String) -> Bool {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return allowed && (1...249).contains(name.utf8.count) && name != "." && name != ".."
    }
}
