import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The bus goes away under load and comes back.
    @Suite struct RedisFaultTests {
        @Test func aBusThatIsAwayLosesNothing() async throws {
            let flow = try await LoadedCluster()
            let redis = try #require(flow.cluster.redis)
            try await flow.startLoad()
            let left = try #require(flow.streams.last)
            try await left.disconnect()
            try redis.stop()
            for number in 0..<2 {
                try await eventually("the host says what is wrong") {
                    let host = flow.cluster[number]
                    let isUp = try await host.metrics().value("martlet_pubsub_up", ["pubsub": "bus"])
                    let ready = try await host.admin("/readyz")
                    return isUp == 0 && ready.body.contains("no connection to Redis")
                }
            }
            // The host without groups stays in service: it would be no better with it gone.
            #expect(try await flow.cluster[1].admin("/readyz").status == 200)
            // A client that comes back meanwhile gets what it missed from the log.
            let before = left.messages.count
            try await flow.load.waitForMore(100)
            try await left.connect(to: flow.cluster[0].address)
            _ = try await left.waitForMessages(before + 1)
            try await Outage.pass()
            #expect(flow.load.refusals == 0, "\(flow.load.summary)")
            // Rows do not need the bus.
            let saved = flow.load.acknowledged.count
            try await eventually("the rows of the outage") {
                try await flow.database.sql.count("SELECT count(*) FROM notifications") >= saved
            }
            try redis.start()
            try await flow.load.waitForMore(100)
            try await flow.settle()
            for number in 0..<2 {
                let host = flow.cluster[number]
                try await host.waitUntilReady()
                // A host without its bus is in service too: that it is back shows here.
                try await eventually("the bus is back") {
                    let isUp = try await host.metrics().value("martlet_pubsub_up", ["pubsub": "bus"])
                    let ready = try await host.admin("/readyz")
                    return isUp == 1 && !ready.body.contains("degraded")
                }
            }
            #expect(flow.load.refusals == 0, "\(flow.load.summary)")
        }
    }
}
