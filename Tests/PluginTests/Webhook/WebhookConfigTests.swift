import Martlet
import MartletTesting
import Pipelines
import TestSupport
import Testing

@testable import WebhookPlugin

/// What is said about configs, and rules without I/O.
@Suite struct WebhookConfigTests {
    @Test func theReadmesExampleIsValid() throws {
        let config = try WebhookChannelConfig(json: try ReadmeExample.json(of: "Webhook"), reserved: ModuleKind.channel.reservedKeys)
        #expect(config.endpoints.keys == ["partner"])
    }

    @Test(arguments: [
        (#"{"url": "https://${/host}/x", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}"#, "the host of a URL is no template"),
        (#"{"url": "ftp://x/", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}"#, "begins with https://"),
        (#"{"url": "https://x/", "secrets": ["hunter2"]}"#, "begins with `whsec_`"),
        (#"{"url": "https://x/", "secrets": []}"#, "at least one secret"),
        (#"{"url": "https://x/", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "headers": {"webhook-id": "1"}}"#, "written by the channel itself"),
        (#"{"url": "https://x/", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "event_types": ["a*b"]}"#, "only at the end"),
    ]) func tellsWhatIsWrong(_ endpoint: String, _ words: String) async throws {
        let error = await #expect(throws: ConfigError.self) { try await WebhookFixture(endpoints: #""one": \#(endpoint)"#) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000, 0, 784_111_777_000), ("120", 120_000, 5, 120_000),
        ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800_000, 0, 1_709_164_800_000),
    ] as [(String, Int64, Int64, Int64)]) func retryAfter(_ text: String, _: Int64, _ now: Int64, _ expected: Int64) {
        #expect(RetryAfter.milliseconds(text, now: now) == expected)
        #expect(RetryAfter.milliseconds(text + "x", now: now) == nil)
    }

    @Test func theScheduleOfTheSpecification() throws {
        let schedule = RetrySchedule(try RetryConfig(json: "{}"))
        let waits = (1...9).map { schedule.wait(failures: $0, retryAfter: nil, random: 0.5) }
        #expect(waits == [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map { $0 * 1000 })
        #expect(schedule.wait(failures: 10, retryAfter: nil, random: 0.5) == nil)
        #expect(schedule.wait(failures: 1, retryAfter: nil, random: 0) == 4_000 && schedule.wait(failures: 1, retryAfter: nil, random: 1) == 6_000)
    }

    @Test func typesAreFiltered() {
        let filter = EventFilter(["like", "order.*"])
        #expect(filter.admits("like") && filter.admits("order.paid") && filter.admits("order."))
        #expect(!filter.admits("likes") && !filter.admits("order") && EventFilter([]).admits("anything"))
    }

    /// Lanes against a model: whatever fails when, each key's deliveries come in their order, one at a time, and all of them.
    @Test(arguments: 0..<200) func lanesKeepTheOrderOfKeys(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var lanes = LaneTable()
        let all = (1...400).map { id in
            WebhookPlugin.Delivery(id: id, key: Bytes("k\(Int.random(in: 0..<6, using: &random))"), messageID: "\(id)", body: "x")
        }
        var cursor = 0
        var underWay: [WebhookPlugin.Delivery] = []
        var held: [WebhookPlugin.Delivery] = []
        var done: [Int64] = []
        var dueTimes: [Int64: Int64] = [:]
        for step in 0..<20_000 where done.count < all.count {
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                let page = Array(all.dropFirst(cursor).prefix(Int.random(in: 1...90, using: &random)))
                lanes.add(page)
                cursor += page.count
            case 1:
                if underWay.count < 4, let delivery = lanes.next() {
                    #expect(!underWay.contains { $0.key == delivery.key } && !held.contains { $0.key == delivery.key }, "seed \(seed)")
                    underWay.append(delivery)
                }
            case 2, 3:
                guard !underWay.isEmpty else { continue }
                let delivery = underWay.remove(at: Int.random(in: 0..<underWay.count, using: &random))
                if Int.random(in: 0..<4, using: &random) == 0 {
                    lanes.hold(delivery)
                    let dueAt = Int64(step + Int.random(in: 0..<300, using: &random))
                    lanes.schedule(delivery.id, delivery.key, at: dueAt)
                    held.append(delivery)
                    dueTimes[delivery.id] = dueAt
                } else {
                    lanes.left(delivery)
                    done.append(delivery.id)
                }
            case 4:
                // The clock may be set back in between.
                if lanes.markDue(now: Int64(step - Int.random(in: 0..<100, using: &random))) {
                    let due = held.filter { dueTimes[$0.id, default: 0] <= lanes.dueThrough }
                    let page = Bool.random(using: &random) ? due : due.filter { _ in Bool.random(using: &random) }
                    lanes.addDue(page, isLast: page.count == due.count)
                    held.removeAll { delivery in page.contains { $0.id == delivery.id } }
                }
            default:
                guard let read = lanes.nextRead() else { continue }
                let found = all.filter { $0.key == read.key && $0.id > read.after && $0.id <= read.through }
                let count = Int.random(in: 1...64, using: &random)
                lanes.add(Array(found.prefix(count)), of: read, isLast: found.count <= count)
            }
        }
        #expect(done.count == all.count && Set(done).count == all.count, "seed \(seed)")
        let keys = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0.key) })
        for ids in Dictionary(grouping: done, by: { keys[$0] }).values { #expect(ids == ids.sorted(), "seed \(seed)") }
    }
}
