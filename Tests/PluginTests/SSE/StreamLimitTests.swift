import Martlet
import MartletTesting
import Pipelines
@testable import SSEPlugin
import Testing

/// Who may connect, how many, for how long, and what becomes of those that are slow.
@Suite struct StreamLimitTests {
    private let loops = ManualLoops(count: 2)
    private let authenticated = RequestAccess(isAuthenticated: true, hasRequirements: false)

    private func channel(_ match: String = #""connection": "${@path.user}""#, _ fields: String = "", access: RequestAccess = .anonymous, host: TestHost? = nil) throws -> SSEChannel {
        let host = host ?? TestHost(payloads: SimdjsonPayloadReader(), loops: loops)
        return try host.make(SSEChannel.self, #"{ "path": "/s/{user}", "match": { "message": "${@key}", \#(match) } \#(fields) }"#, access: access)
    }

    private func caller(_ id: String, _ claims: JSONNode = [:], expiresAt: Int64? = nil) -> Caller {
        var object = JSONObject(members: [JSONObject.Member(key: "sub", value: .string(id))])
        if case .object(let more) = claims.kind { object.members += more.members }
        return Caller(id: id, claims: object, expiresAt: expiresAt)
    }

    private func request(
        _ user: String, query: [String: String] = [:], lastID: String? = nil, address: String = "127.0.0.1", caller: Caller? = nil
    ) -> FakeExchange {
        FakeExchange(
            "GET", path: ["user": user], query: query, headers: lastID.map { [("Last-Event-ID", $0)] } ?? [], remoteAddress: address,
            caller: caller)
    }

    @discardableResult
    private func send(_ exchange: FakeExchange, to channel: SSEChannel) -> FakeExchange {
        channel.routes[0].handle(exchange)
        loops.run()
        return exchange
    }

    private func message(_ key: String, _ payload: String) -> Message {
        Message(record: Record(topic: "t", partition: 0, offset: 0, event: Event(id: Bytes(payload), key: Bytes(key), payload: Bytes(payload), timestamp: 0)), previousOffset: nil)
    }

    private func events(_ exchange: FakeExchange) throws -> [EventStreamParser.Event] {
        var parser = EventStreamParser()
        parser.take(try #require(exchange.stream, "the answer was \(exchange.answer?.status ?? 0)").text)
        return parser.events
    }

    private func code(_ exchange: FakeExchange) -> String {
        let body = exchange.answer?.body.string ?? "a stream"
        return body.firstRange(of: "\"code\":\"").map { String(body[$0.upperBound...].prefix { $0 != "\"" }) } ?? body
    }

    // MARK: Recipients

    @Test func aConnectionMayHaveSeveralRecipients() async throws {
        let channel = try channel(#""connection": "${@query.topics}", "max_recipients": 3"#)
        try await channel.open(replay: nil)
        let both = send(request("", query: ["topics": "a,b,a"]), to: channel)
        let one = send(request("", query: ["topics": "b"]), to: channel)
        let listed = send(request("", query: ["topics": #"["a","c"]"#]), to: channel)
        _ = try await channel.deliver(["a", "b", "c", "a,b"].map { message($0, $0) })
        loops.run()
        #expect(try events(both).map(\.data) == ["a", "b"])
        #expect(try events(one).map(\.data) == ["b"])
        #expect(try events(listed).map(\.data) == ["a", "c"])
        one.stream?.leave()
        both.stream?.leave()
        _ = try await channel.deliver([message("a", "again"), message("b", "nobody")])
        loops.run()
        #expect(try events(listed).map(\.data) == ["a", "c", "again"])
        #expect(channel.connections(limit: 10)?.recipients.map(\.name) == ["a", "c"])
        #expect(code(send(request("", query: ["topics": "a,b,c,d"]), to: channel)) == "sse.too_many_recipients")
        #expect(code(send(request("", query: ["topics": ",,"]), to: channel)) == "sse.no_recipient")
    }

    /// Swift takes `é` for `e` with an accent; the bytes that messages match by do not.
    @Test func namesThatOnlyLookAlikeAreOfDifferentUsers() async throws {
        let (composed, decomposed) = ("jos\u{E9}", "jose\u{301}")
        let channel = try channel(#""connection": "${@path.user}", "claim": "sub""#, access: authenticated)
        try await channel.open(replay: nil)
        #expect(code(send(request(decomposed, caller: caller(composed)), to: channel)) == "sse.not_allowed")
        #expect(code(send(request(composed, caller: caller("ann", ["names": [.string(decomposed)]])), to: channel)) == "sse.not_allowed")
        let mine = send(request(composed, caller: caller(composed)), to: channel)
        _ = try await channel.deliver([message(decomposed, "theirs"), message(composed, "mine")])
        loops.run()
        #expect(try events(mine).map(\.data) == ["mine"])
    }

    @Test func severalRecipientsMayLookAlike() async throws {
        let channel = try channel(#""connection": "${@query.topics}", "max_recipients": 3"#)
        try await channel.open(replay: nil)
        let both = send(request("", query: ["topics": "jos\u{E9},jose\u{301}"]), to: channel)
        _ = try await channel.deliver([message("jos\u{E9}", "1"), message("jose\u{301}", "2")])
        loops.run()
        #expect(try events(both).map(\.data) == ["1", "2"])
    }

    @Test func aRecipientWithACommaIsOneWhereOneIsAllowed() async throws {
        let channel = try channel()
        try await channel.open(replay: nil)
        let stream = send(request("a,b"), to: channel)
        _ = try await channel.deliver(["a", "a,b"].map { message($0, $0) })
        loops.run()
        #expect(try events(stream).map(\.data) == ["a,b"])
    }

    // MARK: Callers

    @Test func theClaimMustBeTheRecipient() async throws {
        let channel = try channel(#""connection": "${@path.user}", "claim": "sub""#, access: authenticated)
        try await channel.open(replay: nil)
        #expect(send(request("bob", caller: caller("bob")), to: channel).stream != nil)
        let other = send(request("eve", caller: caller("bob")), to: channel)
        #expect(other.answer?.status == 403)
        #expect(code(other) == "sse.not_allowed")
    }

    @Test func eachOfSeveralRecipientsIsCompared() async throws {
        let channel = try channel(#""connection": "${@query.rooms}", "max_recipients": 5, "claim": "rooms""#, access: authenticated)
        try await channel.open(replay: nil)
        let bob = caller("bob", ["rooms": ["a", "b"]])
        #expect(send(request("", query: ["rooms": "a,b"], caller: bob), to: channel).stream != nil)
        #expect(send(request("", query: ["rooms": "b,c"], caller: bob), to: channel).answer?.status == 403)
        #expect(send(request("", query: ["rooms": "a"], caller: caller("eve")), to: channel).answer?.status == 403)
    }

    @Test func theRecipientMayComeFromTheClaim() async throws {
        let channel = try channel(#""connection": "${@claim.sub}""#, access: authenticated)
        try await channel.open(replay: nil)
        let bob = send(request("whoever", caller: caller("bob")), to: channel)
        _ = try await channel.deliver([message("bob", "1"), message("eve", "2")])
        loops.run()
        #expect(try events(bob).map(\.data) == ["1"])
    }

    @Test(arguments: [
        (#""connection": "${@path.user}""#, true, "every caller could read the stream of every other"),
        (#""connection": "${@path.user}", "claim": "sub""#, false, "`match.claim` needs `auth`"),
        (#""connection": "${@claim.sub}""#, false, "`${@claim.sub}` has no value here"),
    ])
    func aMatchThatGuardsNothingIsRefused(match: String, isAuthenticated: Bool, problem: String) {
        let access = RequestAccess(isAuthenticated: isAuthenticated, hasRequirements: false)
        let error = #expect(throws: ConfigError.self) { try channel(match, access: access) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    @Test func aStreamEndsWithItsCredentials() async throws {
        let channel = try channel(#""connection": "${@claim.sub}""#, access: authenticated)
        try await channel.open(replay: nil)
        let soon = send(request("", caller: caller("bob", expiresAt: Timestamp.now() + 200)), to: channel)
        let later = send(request("", caller: caller("bob", expiresAt: Timestamp.now() + 3_600_000)), to: channel)
        await waitUntil {
            loops.advance(by: .seconds(1))
            return soon.stream?.isClosed == true
        }
        #expect(later.stream?.isClosed == false)
        #expect(channel.connections(limit: 1)?.total == 1)
    }

    // MARK: Counts

    @Test func usersAndAddressesHaveLimits() async throws {
        let channel = try channel(
            #""connection": "${@claim.sub}""#, #", "max_connections_per_user": 2, "max_connections_per_address": 3"#, access: authenticated)
        try await channel.open(replay: nil)
        let first = send(request("", address: "10.0.0.1", caller: caller("bob")), to: channel)
        send(request("", address: "10.0.0.1", caller: caller("bob")), to: channel)
        #expect(code(send(request("", address: "10.0.0.2", caller: caller("bob")), to: channel)) == "sse.too_many_streams_of_user")
        send(request("", address: "10.0.0.1", caller: caller("eve")), to: channel)
        let fourth = send(request("", address: "10.0.0.1", caller: caller("dan")), to: channel)
        #expect(fourth.answer?.status == 429)
        #expect(code(fourth) == "sse.too_many_streams_of_address")
        first.stream?.leave()
        #expect(send(request("", address: "10.0.0.1", caller: caller("dan")), to: channel).stream != nil)
        let found = try #require(channel.connections(limit: 2))
        #expect((found.total, found.recipientCount, found.userCount) == (3, 3, 3))
        #expect(found.users.map(\.name) == ["/bob", "/dan"])
        #expect(found.users.map(\.connections) == [1, 1])
    }

    @Test(arguments: [("10.0.0.1", "10.0.0.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8::1", "2001:db8:0:0::/64"), ("::1", "0:0:0:0::/64")])
    func anIPv6CustomerIsOneNetwork(address: String, counted: String) {
        #expect(StreamPeer.counted(address) == counted)
    }

    @Test func newConnectionsHaveARate() {
        let limits = ConnectionLimits(.init(total: 100, perKey: 100, perUser: 100, perAddress: nil, perSecond: 10), countsKeys: true)
        let start = ContinuousClock.now
        let peer = StreamPeer(keys: ["bob"])
        #expect((0..<10).allSatisfy { _ in limits.admit(peer, now: start) == .admitted })
        #expect(limits.admit(peer, now: start) == .tooFast)
        #expect(limits.admit(peer, now: start + .milliseconds(100)) == .admitted)
        #expect(limits.admit(peer, now: start + .milliseconds(100)) == .tooFast)
        #expect((0..<10).allSatisfy { _ in limits.admit(peer, now: start + .seconds(60)) == .admitted })
        #expect(limits.admit(peer, now: start + .seconds(60)) == .tooFast)
        #expect(limits.count == 21)
    }

    /// A 503 is the last thing that a browser's `EventSource` asks for; whoever comes back is told to come again instead.
    @Test func whoeverResumesIsToldToComeBack() async throws {
        let channel = try channel(#""connection": "${@path.user}""#, #", "max_connections": 1, "retry_ms": 100"#)
        let early = send(request("bob", lastID: "x"), to: channel)
        try await channel.open(replay: nil)
        send(request("bob"), to: channel)
        let fresh = send(request("bob"), to: channel)
        #expect(fresh.answer?.status == 503)
        let wait = Int(fresh.answer?.headers.first { $0.name == "Retry-After" }?.value ?? "")
        #expect((5...15).contains(wait ?? 0))
        let back = send(request("bob", lastID: "x"), to: channel)
        for exchange in [early, back] {
            let stream = try #require(exchange.stream)
            #expect(stream.isClosed)
            var parser = EventStreamParser()
            parser.take(stream.text)
            #expect((1_100...5_100).contains(parser.retry ?? 0))
        }
        #expect(channel.connections(limit: 1)?.total == 1)
    }

    // MARK: Slow and idle clients

    @Test func theOldestIsDroppedForASlowClient() async throws {
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: loops)
        let channel = try channel(#""connection": "${@path.user}""#, #", "slow_client": "drop_oldest", "buffer_bytes": 8192"#, host: host)
        try await channel.open(replay: nil)
        let slow = try #require(send(request("bob"), to: channel).stream)
        let quick = send(request("bob"), to: channel)
        slow.stall()
        let payloads = (0..<40).map { "\($0)" + String(repeating: ".", count: 500) }
        for payload in payloads {
            _ = try await channel.deliver([message("bob", payload)])
            loops.run()
        }
        #expect(!slow.isClosed)
        #expect(slow.queuedBytes <= 4_096)
        slow.drain()
        await waitUntil {
            loops.advance(by: .milliseconds(60))
            return slow.text.contains("39.")
        }
        _ = try await channel.deliver([message("bob", "after")])
        loops.run()
        var parser = EventStreamParser()
        parser.take(slow.text)
        let gap = try #require(parser.events.firstIndex { $0.name == "gap" })
        #expect(parser.events[gap].data == #"{"reason":"slow"}"#)
        #expect(parser.events.count { $0.name == "gap" } == 1)
        // What came is a beginning and an end of what was sent, in order.
        let got = parser.events.filter { $0.name != "gap" }.map(\.data)
        #expect(Array(got[..<gap]) == Array(payloads[..<gap]))
        #expect(Array(got[gap...]) == Array((payloads + ["after"]).suffix(got.count - gap)))
        #expect(got.count < 41 && gap >= 3 && got.count - gap >= 3)
        #expect(try events(quick).count == 41)
        #expect(host.metrics.render().contains("martlet_sse_dropped_total{channel=\"test\"} \(41 - got.count)"))
        #expect(host.metrics.render().contains("martlet_sse_delivered_total{channel=\"test\"} \(41 + got.count)"))
    }

    @Test func aStreamThatResumesDropsNothing() throws {
        let channel = try channel(#""connection": "${@path.user}""#, #", "slow_client": "drop_oldest""#)
        #expect(channel.replayRefusal == "`slow_client` is \"drop_oldest\", which is for streams that cannot resume")
    }

    @Test func aStreamWithoutEventsIsEnded() async throws {
        let channel = try channel(#""connection": "${@path.user}""#, #", "heartbeat_seconds": 1, "idle_timeout_seconds": 5"#)
        try await channel.open(replay: nil)
        let idle = try #require(send(request("bob"), to: channel).stream)
        let busy = try #require(send(request("eve"), to: channel).stream)
        for second in 0..<8 {
            loops.advance(by: .seconds(1))
            if second % 3 == 0 {
                _ = try await channel.deliver([message("eve", "\(second)")])
                loops.run()
            }
        }
        #expect(idle.isClosed)
        #expect(!busy.isClosed)
    }
}
