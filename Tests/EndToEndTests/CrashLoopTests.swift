import Foundation
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// `kill -9` again and again under load: nothing acknowledged is lost, nothing comes twice.
    @Suite struct CrashLoopTests {
        /// MARTLET_CRASH_ROUNDS asks for more than the usual 50, MARTLET_CRASH_SEED for a run's own numbers again.
        private static let rounds = ProcessInfo.processInfo.environment["MARTLET_CRASH_ROUNDS"].flatMap { Int($0) } ?? 50
        private static let seed =
            ProcessInfo.processInfo.environment["MARTLET_CRASH_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...1_000_000)
        private static let owners = ["bob", "eve", "kim", "lee", "mia"]

        /// When a round's host is killed.
        private enum Moment {
            /// While it starts and recovers.
            case duringStart(Duration)
            /// As soon as it listens: the outbox and the groups catch up.
            case whenServing
            /// After so many answers more.
            case afterAnswers(Int)
            /// SIGTERM in place of the kill, under the same load.
            case stopAfterAnswers(Int)

            var answers: Int? {
                switch self {
                case .afterAnswers(let count), .stopAfterAnswers(let count): count
                case .duringStart, .whenServing: nil
                }
            }
        }

        @Test func acknowledgedLikesSurvive() async throws {
            let folder = try TemporaryFolder()
            try TestConfig.copyShipped(to: folder)
            var random = SeededGenerator(seed: Self.seed)
            let ledger = LikeLedger(owners: Self.owners)
            let streams = Self.owners.map { StreamClient(HostProcess.streamPath(of: $0)) }
            for round in 1...Self.rounds {
                let moment = Self.moment(round, &random)
                try await run(round, moment, in: folder, ledger, streams, seed: random.next())
            }
            try await drain(folder, ledger, streams)
            try check(folder, ledger, streams)
        }

        private static func moment(_ round: Int, _ random: inout SeededGenerator) -> Moment {
            switch round % 10 {
            case 4: .duringStart(.milliseconds(Int.random(in: 1...120, using: &random)))
            case 9: .whenServing
            case 7: .stopAfterAnswers(Int.random(in: 1...250, using: &random))
            default: .afterAnswers(Int.random(in: 1...250, using: &random))
            }
        }

        private func run(
            _ round: Int, _ moment: Moment, in folder: TemporaryFolder, _ ledger: LikeLedger, _ streams: [StreamClient],
            seed: UInt64
        ) async throws {
            let host = try HostProcess(in: folder)
            if case .duringStart(let delay) = moment {
                // Not a wait for anything: the moment of the fault.
                try await Task.sleep(for: delay)
                return try await host.kill()
            }
            try await host.waitUntilServing()
            if let count = moment.answers {
                try await Self.connect(streams, to: host)
                let target = ledger.answered + count
                let address = host.address
                // Otherwise the first requests meet a database that is not open yet.
                if round.isMultiple(of: 2) { try await host.waitUntilReady() }
                async let posting: [Void] = onThreads(4) { poster in
                    ledger.post(to: address, round: round, poster: poster, seed: seed &+ UInt64(poster))
                }
                try await eventually("\(count) answers of round \(round): \(host.log)") {
                    ledger.answered >= target || host.hasExited
                }
                if case .stopAfterAnswers = moment {
                    #expect(try await host.stop() == 0, "\(host.log)")
                } else {
                    try await host.kill()
                }
                _ = try await posting
            } else {
                try await host.kill()
            }
            for stream in streams { try await stream.waitForEnd() }
            #expect(host.logLines(containing: #""level":"error""#).isEmpty)
        }

        /// Until it is open, a channel answers 503. A client has an id to resume by before anything is posted.
        private static func connect(_ streams: [StreamClient], to host: HostProcess) async throws {
            let address = host.address
            for stream in streams {
                try await eventually("a stream") { (try? await stream.connect(to: address)) != nil }
                try await eventually("an id") { stream.lastID != nil }
            }
        }

        /// The last start: everything that waits is published, stored and pushed.
        private func drain(_ folder: TemporaryFolder, _ ledger: LikeLedger, _ streams: [StreamClient]) async throws {
            let host = try await HostProcess.start(in: folder)
            try await host.waitUntilReady()
            try await Self.connect(streams, to: host)
            // One more like for each owner: what comes after everything else in its partition marks the end.
            try await host.likeAll(Self.owners.map { Like("last-\($0)", of: $0) })
            for (owner, stream) in zip(Self.owners, streams) {
                try await eventually("the last message of \(owner)", within: .seconds(120)) {
                    stream.messages.last?.text("actor") == "last-\(owner)"
                }
                try await eventually("the last row of \(owner)", within: .seconds(120)) {
                    let rows = try await host.notifications(of: owner)
                    return rows.contains { $0["text"] as? String == "last-\(owner) liked your post" }
                }
            }
            try await eventually("an empty outbox") { try await host.metrics().value("martlet_outbox_events") == 0 }
            #expect(try await host.stop() == 0)
        }

        private func check(_ folder: TemporaryFolder, _ ledger: LikeLedger, _ streams: [StreamClient]) throws {
            let file = SQLiteFile(path: folder["data/main.db"])
            let likes = try file.rows("SELECT post_id || '/' || actor FROM likes").map { $0[0] }
            let notifications = try file.rows("SELECT recipient, text FROM notifications ORDER BY rowid")
            let known = ledger.all
            let saved = Set(likes)
            #expect(saved.count == likes.count)

            let lost = ledger.acknowledged.filter { !saved.contains($0.name) }
            #expect(lost.isEmpty, "acknowledged and not saved, seed \(Self.seed): \(lost.map(\.name))")
            #expect(ledger.wrongAnswers.isEmpty, "seed \(Self.seed): \(ledger.wrongAnswers)")

            // Also likes whose answer was never read: what is saved is notified, unless it is a self-like.
            let expected = known.filter { saved.contains($0.name) && $0.actor != $0.owner }
                .map { "\($0.owner): \($0.text)" } + Self.owners.map { "\($0): last-\($0) liked your post" }
            let found = notifications.map { "\($0[0]): \($0[1])" }
            #expect(Set(found).count == found.count, "twice, seed \(Self.seed): \(Self.repeated(found))")
            #expect(Set(expected).subtracting(found).isEmpty, "missing rows, seed \(Self.seed)")
            #expect(Set(found).subtracting(expected).isEmpty, "invented rows, seed \(Self.seed)")

            for (owner, stream) in zip(Self.owners, streams) {
                let pushed = stream.messages.compactMap { $0.text("text") }
                let stored = notifications.filter { $0[0] == owner }.map { $0[1] }
                #expect(stream.messages.allSatisfy { $0.name == "message" })
                #expect(Self.repeated(pushed).isEmpty, "pushed twice to \(owner), seed \(Self.seed)")
                // Nothing was posted before the streams were connected, and one recipient is one partition.
                #expect(pushed == stored, "the stream of \(owner) and its rows differ, seed \(Self.seed)")
            }
            print(
                "crash loop: \(Self.rounds) rounds, seed \(Self.seed): \(ledger.summary); \(likes.count) likes, "
                    + "\(notifications.count) notifications, \(streams.reduce(0) { $0 + $1.messages.count }) pushed")
        }

        private static func repeated(_ texts: [String]) -> [String] {
            var seen: Set<String> = []
            return texts.filter { !seen.insert($0).inserted }
        }
    }
}
