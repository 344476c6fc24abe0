import EmbeddedLog
import Martlet

/// What a look at the log's files found, for people and for programs.
struct LogReportText {
    /// The data folder.
    let directory: String

    func text(of report: LogReport) -> String {
        let entries = report.journalEntries
        let journal = report.wasClosed ? "closed cleanly" : "not closed, \(entries) journal entr\(entries == 1 ? "y" : "ies") to replay"
        var lines = report.findings.map(Self.text) + report.notes.map { "note: \($0)" }
        if !lines.isEmpty { lines.append("") }
        lines.append(
            "\(directory)/log: \(Self.count(report.topics, "topic")), \(Self.count(report.partitions, "partition")), "
                + "\(Self.count(report.segments, "segment")) of \(report.bytes) bytes, \(Self.count(report.records, "record")); \(journal)")
        if report.isSound {
            lines.append("The log is sound.")
        } else {
            let lost = report.lostRecords
            lines.append(
                "\(Self.count(report.findings.count, "piece")) of damage; "
                    + (lost == 0 ? "no record is lost." : "\(Self.count(Int(lost), "record")) \(lost == 1 ? "is" : "are") lost."))
        }
        return lines.joined(separator: "\n")
    }

    private static func text(_ finding: LogFinding) -> String {
        let place = finding.bytes.map { ", bytes \($0.lowerBound) to \($0.upperBound - 1)" } ?? ""
        var lines = ["\(finding.subject.rawValue) \(finding.path)\(place)", "  damage: \(finding.problem)"]
        lines += finding.losses.map { loss in
            let records = (loss.isUpperBound ? "at most " : "") + count(Int(loss.records), "record")
            return "  lost: \(loss.topic)/\(loss.partition), offsets \(loss.offsets.lowerBound) to \(loss.offsets.upperBound - 1), \(records)"
        }
        if finding.unplacedBytes > 0 {
            lines.append("  lost: perhaps more, in \(finding.unplacedBytes) bytes that do not say any more which partitions they belong to")
        }
        lines.append("  repair: \(finding.remedy)")
        return lines.joined(separator: "\n")
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    func json(_ report: LogReport) -> JSONNode { .object(members(report)) }

    func members(_ report: LogReport) -> [(String, JSONNode)] {
        [
            ("data_directory", .string(directory)), ("sound", .bool(report.isSound)), ("closed", .bool(report.wasClosed)),
            ("topics", .integer(Int64(report.topics))), ("partitions", .integer(Int64(report.partitions))),
            ("segments", .integer(Int64(report.segments))), ("bytes", .integer(Int64(report.bytes))),
            ("batches", .integer(Int64(report.batches))), ("records", .integer(Int64(report.records))),
            ("journal_entries", .integer(Int64(report.journalEntries))), ("lost_records", .integer(report.lostRecords)),
            ("findings", .array(report.findings.map(Self.json))), ("notes", .array(report.notes.map { .string($0) })),
        ]
    }

    private static func json(_ finding: LogFinding) -> JSONNode {
        var members: [(String, JSONNode)] = [("subject", .string(finding.subject.rawValue)), ("path", .string(finding.path))]
        if let bytes = finding.bytes { members += [("from_byte", .integer(bytes.lowerBound)), ("to_byte", .integer(bytes.upperBound - 1))] }
        members += [
            ("damage", .string(finding.problem)), ("repair", .string(finding.remedy)), ("unplaced_bytes", .integer(finding.unplacedBytes)),
        ]
        members.append(
            (
                "losses",
                .array(
                    finding.losses.map { loss in
                        .object([
                            ("topic", .string(loss.topic)), ("partition", .integer(Int64(loss.partition))),
                            ("from_offset", .integer(loss.offsets.lowerBound)), ("to_offset", .integer(loss.offsets.upperBound - 1)),
                            ("records", .integer(loss.records)), ("at_most", .bool(loss.isUpperBound)),
                        ])
                    })
            ))
        return .object(members)
    }
}
