import Martlet
import Pipelines
import Testing

/// A log over HTTP does what the log itself does.
@Suite struct RemoteLogTests {
    private static let topic: TopicName = "items"

    private func event(_ name: String, key: String? = nil, bytes: Int = 0) -> Event {
        Event(
            id: Bytes("id-\(name)"), key: key.map { Bytes($0) }, headers: [Header("h", Bytes("v-\(name)"))],
            payload: Bytes(name + String(repeating: ".", count: bytes)), timestamp: 1_700_000_000_000)
    }

    private func withLog(_ body: (RemoteEventLog, any EventLog) async throws -> Void) async throws {
        let host = try await LogHost()
        do {
            try await body(host.remote, host.host.log)
        } catch {
            await host.stop()
            throw error
        }
        await host.stop()
    }

    private func all(_ log: any EventLog, partition: PartitionID) async throws -> [Record] {
        var records: [Record] = []
        while true {
            let page = try await log.read(topic: Self.topic, partition: partition, from: records.last.map { $0.offset + 1 } ?? 0, maxBytes: 1)
            if page.isEmpty { return records }
            records += page
        }
    }

    @Test func recordsGoThereAndComeBackWhole() async throws {
        try await withLog { remote, log in
            let events = (0..<20).map { event("e\($0)", key: "key-\($0 % 5)") } + [event("keyless")]
            let places = try await remote.append(events, to: Self.topic)
            #expect(places.count == events.count)
            for (place, event) in zip(places, events) {
                let here = try await log.read(topic: Self.topic, partition: place.partition, from: place.offset, maxBytes: 1)
                let there = try await remote.read(topic: Self.topic, partition: place.partition, from: place.offset, maxBytes: 1)
                #expect(here.map(\.offset) == there.map(\.offset))
                let record = try #require(there.first)
                #expect(record.offset == place.offset && record.event.id == event.id && record.event.key == event.key)
                #expect(record.event.payload == event.payload && record.event.timestamp == event.timestamp)
                #expect(record.event.headers == event.headers)
            }
            #expect(try await remote.positions(of: Self.topic) == log.positions(of: Self.topic))
            #expect(remote.topic(Self.topic) == log.topic(Self.topic))
        }
    }

    @Test func aRepeatedAppendIsKeptOnce() async throws {
        try await withLog { remote, log in
            let events = (0..<6).map { event("e\($0)", key: "one") }
            let mark = ProducerMark(producerID: 7, rows: [1, 2, 3, 4, 5, 6])
            let places = try await remote.append(events, to: Self.topic, mark: mark)
            _ = try await remote.append(events, to: Self.topic, mark: mark)
            // The answer to a longer one was lost, too: only what is new is kept.
            _ = try await remote.append(
                events + [event("e6", key: "one")], to: Self.topic, mark: ProducerMark(producerID: 7, rows: [1, 2, 3, 4, 5, 6, 7]))
            let records = try await all(remote, partition: places[0].partition)
            #expect(records.map(\.event.payload.string) == (0..<7).map { "e\($0)" })
            #expect(try await all(log, partition: places[0].partition).count == 7)
        }
    }

    @Test func appendsThatComeTogetherKeepTheirOrderAndTheirPlaces() async throws {
        try await withLog { remote, _ in
            let places = try await withThrowingTaskGroup(of: (Int, RecordPlace).self) { tasks in
                for number in 0..<200 {
                    let event = event("e\(number)", key: "one")
                    tasks.addTask { (number, try await remote.append([event], to: Self.topic)[0]) }
                }
                return try await tasks.reduce(into: [(Int, RecordPlace)]()) { $0.append($1) }
            }
            let records = try await all(remote, partition: places[0].1.partition)
            #expect(records.count == 200)
            for (number, place) in places { #expect(records[Int(place.offset)].event.payload.string == "e\(number)") }
        }
    }

    @Test func manyMegabytesGoInSeveralRequests() async throws {
        try await withLog { remote, _ in
            let events = (0..<12).map { event("e\($0)", key: "one", bytes: 900_000) }
            let places = try await remote.append(events, to: Self.topic, mark: ProducerMark(producerID: 9, rows: (1...12).map { $0 }))
            #expect(places.map(\.offset) == (0..<12).map { Offset($0) })
            #expect(try await all(remote, partition: places[0].partition).map(\.event.payload) == events.map(\.payload))
        }
    }

    @Test func anEventThatIsTooLargeIsItsOwnFault() async throws {
        try await withLog { remote, _ in
            let error = await #expect(throws: ModuleError.self) {
                _ = try await remote.append([event("big", bytes: 3 << 20)], to: Self.topic)
            }
            #expect(error?.kind == .permanent)
            #expect(error?.code == "log.record_too_large")
            // Two that wait behind another share a request; the one at fault does not take the other with it.
            let first = event("first")
            let (bad, good) = (event("bad", bytes: 1_200_000), event("good"))
            async let one = remote.append([first], to: Self.topic)
            async let two = Result { try await remote.append([bad], to: Self.topic) }
            async let three = remote.append([good], to: Self.topic)
            let (kept, refused, alsoKept) = (try await one, await two, try await three)
            #expect(kept.count == 1 && alsoKept.count == 1)
            #expect(throws: ModuleError.self) { try refused.get() }
        }
    }

    @Test func offsetsOutOfRangeAreTold() async throws {
        try await withLog { remote, _ in
            _ = try await remote.append([event("a", key: "one")], to: Self.topic)
            let error = await #expect(throws: OffsetOutOfRange.self) {
                _ = try await remote.read(topic: Self.topic, partition: 0, from: 99, maxBytes: 100)
            }
            #expect(error?.offset == 99)
            #expect(try await remote.positions(of: Self.topic).offsets[0] == error?.available)
        }
    }

    @Test func groupsTimesAndWaiting() async throws {
        try await withLog { remote, log in
            let group: GroupName = "a group/with ümlaut"
            #expect(try await remote.committedOffset(group: group, topic: Self.topic, partition: 1) == nil)
            try await remote.commit(group: group, topic: Self.topic, partition: 1, offset: 5)
            #expect(try await remote.committedOffset(group: group, topic: Self.topic, partition: 1) == 5)
            #expect(try await log.committedOffset(group: group, topic: Self.topic, partition: 1) == 5)
            #expect(try await remote.committedGroups() == [group])

            let waiting = Task {
                for partition in PartitionID(0)..<3 { try await remote.waitForRecord(topic: Self.topic, partition: partition, at: 0) }
            }
            let places = try await remote.append((0..<30).map { event("e\($0)", key: "k\($0)") }, to: Self.topic)
            #expect(Set(places.map(\.partition)).count == 3)
            try await waiting.value
            #expect(try await remote.offset(topic: Self.topic, partition: 0, at: 0) == 0)
            let end = try await remote.positions(of: Self.topic).offsets[0].upperBound
            #expect(try await remote.offset(topic: Self.topic, partition: 0, at: .max) == end)
            let endless = Task { try await remote.waitForRecord(topic: Self.topic, partition: 0, at: end) }
            endless.cancel()
            await #expect(throws: CancellationError.self) { try await endless.value }
        }
    }

    // MARK: What goes wrong

    @Test func aTopicThatIsNotThereIsTheOperators() async throws {
        try await withLog { remote, _ in
            let calls: [() async throws -> Void] = [
                { _ = try await remote.positions(of: "nope") }, { _ = try await remote.append([event("a")], to: "nope") },
                { _ = try await remote.read(topic: "nope", partition: 0, from: 0, maxBytes: 1) },
            ]
            for call in calls {
                let error = await #expect(throws: ModuleError.self) { try await call() }
                #expect(error?.kind == .blocked && error?.code == "log.unknown_topic")
                #expect(error?.message.contains("add it to `topics`") == true)
            }
            // The log's own topics are nobody's.
            await #expect(throws: ModuleError.self) { _ = try await remote.positions(of: "__consumer_offsets") }
            #expect(remote.trouble == nil)
        }
    }

    @Test(arguments: [nil, "wrong"]) func aTokenThatIsRefusedIsTheOperators(_ token: String?) async throws {
        let host = try await LogHost()
        let other = LogHost.log(of: "http://" + host.host.adminAddress, token: token)
        try await other.open()
        let error = await #expect(throws: ModuleError.self) { _ = try await other.positions(of: Self.topic) }
        #expect(error?.kind == .blocked && error?.code == "log.remote_unauthorized")
        #expect(error?.message.contains("`log.token` must be the `host.admin_token`") == true)
        await other.close()
        await host.stop()
    }

    @Test func anotherListenerIsTheOperators() async throws {
        let host = try await LogHost()
        let other = LogHost.log(of: "http://" + host.host.publicAddress)
        try await other.open()
        let error = await #expect(throws: ModuleError.self) { _ = try await other.positions(of: Self.topic) }
        #expect(error?.kind == .blocked && error?.code == "log.remote_not_found")
        #expect(error?.message.contains("`host.admin_listen`") == true)
        await other.close()
        await host.stop()
    }

    @Test func aHostThatIsAwayIsTriedAgain() async throws {
        let host = try await LogHost()
        let url = "http://" + host.host.adminAddress
        await host.stop()
        let other = LogHost.log(of: url)
        try await other.open()
        let mark = ProducerMark(producerID: 3, rows: [1])
        let calls: [() async throws -> Void] = [
            { _ = try await other.positions(of: Self.topic) },
            { _ = try await other.append([event("a")], to: Self.topic, mark: mark) },
        ]
        for call in calls {
            let error = await #expect(throws: ModuleError.self) { try await call() }
            #expect(error?.kind == .transient && error?.code == "log.remote_away")
            #expect(error?.message.contains(url) == true)
        }
        #expect(other.trouble?.code == "log.remote_away")
        #expect(!other.hasHeard)
        #expect(throws: ModuleError.self) { try other.offsets(topic: Self.topic, partition: 0) }
        await other.close()
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
