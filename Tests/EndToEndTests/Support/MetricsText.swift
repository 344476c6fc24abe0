import Foundation
import TestSupport

/// A page of `/metrics`.
struct MetricsText {
    private struct Sample {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    private let samples: [Sample]

    init(_ text: String) {
        samples = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else { return nil }
            let head = line[..<space]
            guard let brace = head.firstIndex(of: "{") else { return Sample(name: String(head), labels: [:], value: value) }
            var labels: [String: String] = [:]
            for pair in head[brace...].dropFirst().dropLast().split(separator: ",") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                if parts.count == 2 { labels[String(parts[0])] = parts[1].trimmingCharacters(in: ["\""]) }
            }
            return Sample(name: String(head[..<brace]), labels: labels, value: value)
        }
    }

    /// The sum of a metric's samples that have these labels; nil if there is none.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Int? {
        let matching = samples.filter { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }
        return matching.isEmpty ? nil : Int(matching.reduce(0) { $0 + $1.value })
    }
}

extension HostProcess {
    func metrics() async throws -> MetricsText {
        MetricsText(try await admin("/metrics").body)
    }
}
