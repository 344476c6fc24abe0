/// The outcomes of the tests of one file, for people and for programs.
struct ConfigTestReport {
    let file: String
    let outcomes: [ConfigTestRun.Outcome]

    var failed: Int { outcomes.filter { !$0.failures.isEmpty }.count }

    /// A line for each test, with what is wrong below it.
    var text: String {
        var lines = [file]
        for outcome in outcomes {
            lines.append("  \(outcome.failures.isEmpty ? "ok  " : "FAIL")  \(outcome.name) (\(Self.milliseconds(outcome.duration)) ms)")
            lines += outcome.failures.map { "          \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    /// JUnit's XML, of all files.
    static func junit(_ reports: [ConfigTestReport]) -> String {
        var text = #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n<testsuites>\n"
        for report in reports {
            let time = seconds(report.outcomes.reduce(.zero) { $0 + $1.duration })
            text += "  <testsuite name=\"\(escaped(report.file))\" tests=\"\(report.outcomes.count)\" failures=\"\(report.failed)\" time=\"\(time)\">\n"
            for outcome in report.outcomes {
                let head = "    <testcase classname=\"\(escaped(report.file))\" name=\"\(escaped(outcome.name))\" time=\"\(seconds(outcome.duration))\""
                guard let first = outcome.failures.first else {
                    text += head + "/>\n"
                    continue
                }
                let details = outcome.failures.joined(separator: "\n")
                text += head + ">\n      <failure message=\"\(escaped(first))\">\(escaped(details))</failure>\n    </testcase>\n"
            }
            text += "  </testsuite>\n"
        }
        return text + "</testsuites>\n"
    }

    static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
    }

    private static func seconds(_ duration: Duration) -> String {
        let milliseconds = milliseconds(duration)
        let rest = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    /// XML has no way to write most control characters.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\n": escaped += "&#10;"
            case "\t": escaped += "&#9;"
            case _ where scalar.value < 0x20: escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
