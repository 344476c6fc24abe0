import Martlet
import Testing

@testable import MartletHost

@Suite struct EventStreamReaderTests {
    private static let stream = "retry: 3000\r\n: connected\r\nid: 1\r\n\r\n"
        + "data: {\"n\":1}\n\n" + "event: gap\rid:2\rdata: not\rdata: json\rdata\r\r" + "id\nevent:\ndata:  7 \n\nevent: unused\n\ndata: cut off"

    private static let events = [
        #"{"id":"1","event":"message","data":{"n":1}}"#, #"{"id":"2","event":"gap","data":"not\njson\n"}"#, #"{"id":"","event":"message","data":7}"#,
    ]

    @Test(arguments: [1, 2, 7, 10_000]) func eventsAreReadHoweverTheyAreCut(size: Int) {
        var reader = EventStreamReader()
        let bytes = Array(Self.stream.utf8)
        let events = stride(from: 0, to: bytes.count, by: size).flatMap { reader.take(Bytes(Array(bytes[$0..<min($0 + size, bytes.count)]))) }
        #expect(events.map { JSONWriter.text($0) } == Self.events)
    }
}
