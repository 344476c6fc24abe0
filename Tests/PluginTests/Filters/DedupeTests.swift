import Martlet
import MartletTesting
import Pipelines
import Testing

@testable import FiltersPlugin

@Suite struct DedupeTests {
    private func record(_ offset: Offset, _ id: String, partition: PartitionID = 0, at seconds: Int64 = 0) -> Record {
        Record(
            topic: "t", partition: partition, offset: offset,
            event: Event(id: Bytes(id), key: nil, payload: Bytes("{\"n\":\"\(id)\"}"), timestamp: seconds * 1000))
    }

    private func make(_ config: String = "{}") throws -> DedupeTransform {
        try TestHost(payloads: SimdjsonPayloadReader()).make(DedupeTransform.self, config)
    }

    /// The offsets that go through.
    private func kept(_ transform: DedupeTransform, _ records: [Record]) async throws -> [Offset] {
        try await transform.apply(to: records).compactMap { if case .keep(let record) = $0 { record.offset } else { nil } }
    }

    @Test func theSecondOfAKeyIsDropped() async throws {
        let dedupe = try make()
        #expect(try await kept(dedupe, [record(0, "a"), record(1, "b"), record(2, "a")]) == [0, 1])
        #expect(try await kept(dedupe, [record(3, "b"), record(4, "c"), record(0, "a", partition: 1)]) == [4])
    }

    @Test func aRecordThatIsReadAgainIsNotItsOwnDuplicate() async throws {
        let dedupe = try make()
        let batch = [record(0, "a"), record(1, "a"), record(2, "b")]
        #expect(try await kept(dedupe, batch) == [0, 2])
        #expect(try await kept(dedupe, batch) == [0, 2])
        #expect(try await kept(dedupe, Array(batch[1...])) == [2])
    }

    @Test func theWindowHasAnAgeByTheEventsOwnTime() async throws {
        let dedupe = try make(#"{"window_seconds": 60}"#)
        let records = [record(0, "a", at: 0), record(1, "a", at: 60), record(2, "a", at: 61), record(3, "a", at: 100), record(4, "a", at: 200)]
        #expect(try await kept(dedupe, records) == [0, 2, 4])
    }

    @Test func theWindowHasASize() async throws {
        let dedupe = try make(#"{"window_events": 3}"#)
        let ids = ["a", "b", "c", "a", "d", "a", "b"]
        // When d came, a was the oldest and forgotten.
        #expect(try await kept(dedupe, ids.enumerated().map { record(Offset($0.offset), $0.element) }) == [0, 1, 2, 4, 5, 6])
    }

    @Test func memoryStaysBounded() {
        var seen = SeenKeys(limit: 100, age: 10)
        for number in 0..<10_000 {
            let record = record(Offset(number), "x", at: Int64(number))
            _ = seen.isDuplicate(Bytes("key-\(number % 150)"), record)
            _ = seen.isDuplicate("hot", record)
        }
        #expect(seen.count <= 100)
    }

    @Test func keysComeFromATemplateAndNullIsNone() async throws {
        let dedupe = try make(#"{"key": "${/n}"}"#)
        var (first, second, third) = (record(0, "x"), record(1, "y"), record(2, "z"))
        first.event.payload = #"{"n":null}"#
        second.event.payload = #"{"n":null}"#
        third.event.payload = "{}"
        let results = try await dedupe.apply(to: [first, second, third])
        guard case .keep = results[0], case .keep = results[1], case .fail(let error) = results[2] else {
            return #expect(Bool(false), "\(results)")
        }
        #expect(error.code == "template.missing_field")
        #expect(DedupeTransform.isStateful && !DedupeTransform.runsInSources)
    }
}
