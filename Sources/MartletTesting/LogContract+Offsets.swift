import Martlet

extension LogContract {
    func verifyMarks(_ store: Int) async throws {
        let promise = Promise("rows of a producer that come again are appended once, also after another start")
        try await withLog(store) { log in
            _ = try await log.take(Self.events(0..<10), mark: ProducerMark(producerID: 7, rows: Array(1...10)))
            _ = try await log.take(Self.events(5..<15), mark: ProducerMark(producerID: 7, rows: Array(6...15)))
            try promise.require("records", try await log.all(0).map(Self.number), is: Array(0..<15))
            _ = try await log.take(Self.events(15..<16), mark: ProducerMark(producerID: 8, rows: [1]))
            try promise.require("records after those of another producer", try await log.all(0).count, is: 16)
        }
        try await withLog(store) { log in
            _ = try await log.take(Self.events(10..<17), mark: ProducerMark(producerID: 7, rows: Array(11...16) + [17]))
            try promise.require("records after another start", try await log.all(0).count, is: 18)
        }
    }

    func verifyOffsets(_ store: Int) async throws {
        let promise = Promise("a group's committed offset is kept, by topic and partition, also after another start")
        try await withLog(store, partitions: 2) { log in
            _ = try await log.take(Self.events(0..<20))
            try promise.require("the offset of a new group", try await log.committedOffset(group: "g", topic: "t", partition: 0), is: nil)
            try await log.commit(group: "g", topic: "t", partition: 0, offset: 1)
            try await log.commit(group: "g", topic: "t", partition: 0, offset: 3)
            try await log.commit(group: "h", topic: "t", partition: 1, offset: 2)
        }
        try await withLog(store, partitions: 2) { log in
            try promise.require("the offset of g", try await log.committedOffset(group: "g", topic: "t", partition: 0), is: 3)
            try promise.require("the other partition's", try await log.committedOffset(group: "g", topic: "t", partition: 1), is: nil)
            try promise.require("the other group's", try await log.committedOffset(group: "h", topic: "t", partition: 1), is: 2)
            if omissions.contains(.groupList) { return }
            try promise.require("groups", Set(try await log.committedGroups()), is: ["g", "h"])
        }
    }

    func verifyTopics(_ store: Int) async throws {
        let promise = Promise("a topic can get more partitions and not fewer; an unknown one is an error that says so")
        try await withLog(store, partitions: 2) { log in
            let count = omissions.contains(.addedPartitions) ? 2 : 3
            let more = try await log.ensureTopic("t", Self.settings(count))
            try promise.require("partitions", more.partitions, is: count)
            try promise.require("partitions as the log knows them", log.topic("t")?.partitions, is: count)
            do {
                _ = try await log.ensureTopic("t", Self.settings(1))
                throw ContractViolation(promise.text, "\(count) partitions became 1")
            } catch let error as ContractViolation {
                throw error
            } catch {
                try promise.require("\(error)".contains("\(count)"), "the error does not say how many there are: \(error)")
            }
            let result = await withCheckedContinuation { continuation in
                log.append(Self.events(0..<1), to: "unknown", mark: nil) { continuation.resume(returning: $0) }
            }
            guard case .failure(let error) = result else { throw ContractViolation(promise.text, "an unknown topic took an event") }
            try promise.require(error.message.contains("unknown"), "the error does not name the topic: \(error)")
        }
    }

    func verifyProducers(_ store: Int) async throws {
        let promise = Promise("appends of several producers at the same time are all kept, each whole and in its order")
        try await withLog(store, partitions: 2) { log in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for producer in 0..<8 {
                    group.addTask {
                        for start in stride(from: producer * 1_000, to: producer * 1_000 + 50, by: 5) {
                            _ = try await log.take(Self.events(start..<start + 5))
                        }
                    }
                }
                try await group.waitForAll()
            }
            let records = try await log.everything()
            try promise.require("records", records.count, is: 400)
            for producer in 0..<8 {
                for partition in PartitionID(0)..<2 {
                    let numbers = records.filter { $0.partition == partition }.map(Self.number).filter { $0 / 1_000 == producer }
                    for key in 0..<4 {
                        let own = numbers.filter { $0 % 4 == key }
                        try promise.require("events of producer \(producer) and key \(key)", own, is: own.sorted())
                    }
                }
            }
        }
    }
}
