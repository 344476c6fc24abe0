import Martlet
import MartletTesting
import Pipelines
@testable import SSEPlugin
import Testing

/// The whole channel on loops that the test runs, with a log in memory.
struct SSEFixture {
    static let topic: TopicName = "t"
    let loops = ManualLoops(count: 2)
    let replay = MemoryReplay([("t", 2)])

    func channel(_ fields: String = "", host: TestHost? = nil) throws -> SSEChannel {
        let host = host ?? TestHost(payloads: SimdjsonPayloadReader(), loops: loops)
        let config = #"{ "path": "/s/{user}", "match": { "message": "${@key}", "connection": "${@path.user}" }"# + fields + " }"
        return try host.make(SSEChannel.self, config)
    }

    func request(
        _ user: String, loop: Int = 0, query: [String: String] = [:], headers: [(name: String, value: String)] = []
    ) -> FakeExchange {
        FakeExchange("GET", path: ["user": user], query: query, headers: headers, loopIndex: loop)
    }

    func connect(
        _ channel: SSEChannel, _ user: String, loop: Int = 0, query: [String: String] = [:],
        headers: [(name: String, value: String)] = []
    ) throws -> FakeStream {
        let exchange = request(user, loop: loop, query: query, headers: headers)
        channel.routes[0].handle(exchange)
        loops.run()
        return try #require(exchange.stream, "the answer was \(exchange.answer?.status ?? 0)")
    }

    /// A stream that resumes: it opens once the log has said where it stands.
    func resume(
        _ channel: SSEChannel, _ user: String, loop: Int = 0, query: [String: String] = [:],
        headers: [(name: String, value: String)] = []
    ) async throws -> FakeStream {
        let exchange = request(user, loop: loop, query: query, headers: headers)
        channel.routes[0].handle(exchange)
        await waitUntil {
            loops.run()
            return exchange.stream != nil || exchange.answer != nil
        }
        loops.run()
        return try #require(exchange.stream, "the answer was \(exchange.answer?.status ?? 0)")
    }

    /// Appends an event, and returns its message as the group would publish it.
    func message(_ key: String, _ payload: String, partition: PartitionID = 0) throws -> Message {
        let previous = try replay.ends()[0].offsets[Int(partition)] - 1
        let event = Event(id: Bytes("id-\(payload)"), key: Bytes(key), payload: Bytes(payload), timestamp: 0)
        return Message(record: replay.append(event, to: Self.topic, partition: partition), previousOffset: previous)
    }

    func parsed(_ stream: FakeStream) -> EventStreamParser {
        var parser = EventStreamParser()
        parser.take(stream.text)
        return parser
    }

    func data(_ stream: FakeStream) -> [String] { parsed(stream).events.map(\.data) }

    /// Runs the loops, and their timers, until a condition holds.
    func settle(_ condition: () -> Bool) async {
        await waitUntil {
            loops.advance(by: .milliseconds(2))
            return condition()
        }
    }
}
