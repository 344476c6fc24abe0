import Martlet

/// Groups as the admin API answers them, for people.
enum GroupText {
    static func table(_ groups: JSONNode) -> String {
        let rows = groups.items.map { group in
            [
                group.text("group"), group.text("state"), group.text("lag"), topics(group), group.text("target"),
                group["counters"]?.text("handled") ?? "-", group["counters"]?.text("dead_lettered") ?? "-",
            ]
        }
        return Terminal.table(["GROUP", "STATE", "LAG", "TOPICS", "TARGET", "HANDLED", "DEAD-LETTERED"], rows)
    }

    static func details(_ group: JSONNode) -> String {
        let partitions = group["partitions"]?.items ?? []
        let rows = partitions.map { partition in
            [
                partition.text("topic"), partition.text("partition"), partition.text("state"), partition.text("offset"),
                partition.text("end"), partition.text("lag"),
            ]
        }
        let counters = group["counters"] ?? .object([])
        let names = ["consumed", "handled", "filtered", "dead_lettered", "expired", "in_flight", "retries"]
        var text = """
            \(group.text("group")): \(group.text("state")), lag \(group.text("lag")), \(group.text("target")), offsets in the \(group.text("offsets_in"))
            since the start: \(names.map { "\(counters.text($0)) \($0)" }.joined(separator: ", "))

            \(Terminal.table(["TOPIC", "PARTITION", "STATE", "OFFSET", "END", "LAG"], rows))
            """
        for partition in partitions {
            guard let trouble = partition["trouble"], case .object = trouble.kind else { continue }
            text += "\n\n\(partition.text("topic"))/\(partition.text("partition")), \(trouble.text("attempts")) attempts: "
            text += "\(trouble.text("message")) [\(trouble.text("code"))]"
        }
        return text
    }

    private static func topics(_ group: JSONNode) -> String {
        group["topics"]?.items.compactMap(\.rawText).joined(separator: ", ") ?? "-"
    }
}
