import Martlet
import MartletTesting
import Pipelines
@testable import SSEPlugin
import Testing

@Suite struct EventRendererTests {
    private let host = TestHost(payloads: SimdjsonPayloadReader())

    private func message(_ payload: Bytes) -> Message {
        let event = Event(id: "e1", key: "bob", headers: [Header("kind", "like\nx")], payload: payload, timestamp: 0)
        return Message(record: Record(topic: "t", partition: 0, offset: 0, event: event), previousOffset: -1)
    }

    private func renderer(name: String? = nil, data: String? = nil, limit: Int = 10_000) throws -> EventRenderer {
        let context = host.context(named: "test")
        let template = name.flatMap { name in
            ConfigText(node: .string(name), path: .root).flatMap { context.template($0, allowing: [.record, .header]) }
        }
        let payload = data.flatMap { data in
            JSONReader.read(data, problems: ConfigProblems(file: "test")).flatMap {
                context.payloadTemplate($0, path: .root, allowing: [.record, .header])
            }
        }
        return EventRenderer(
            eventName: template, data: payload, payloads: SimdjsonPayloadReader(), eventLimit: limit)
    }

    private func text(_ rendered: EventRenderer.Rendered) -> String {
        switch rendered {
        case .event(let chunk), .gap(let chunk, _): chunk.content.string
        }
    }

    private let seven: (inout [UInt8]) -> Bool = { text in
        text.append(UInt8(ascii: "7"))
        return true
    }

    @Test func anEventHasItsLinesAndAnEmptyOne() throws {
        #expect(try text(renderer().event(message("{}"), appendID: seven)) == "id: 7\ndata: {}\n\n")
        #expect(try text(renderer(name: "like").event(message("{}"), appendID: seven)) == "id: 7\nevent: like\ndata: {}\n\n")
        #expect(try text(renderer().event(message("{}")) { _ in false }) == "data: {}\n\n")
    }

    @Test func namesAndDataMayBeTemplates() throws {
        let renderer = try renderer(name: "${/type}-${@key}", data: #"{"to": "${@key}", "n": "${/n}"}"#)
        let rendered = try text(renderer.event(message(#"{"type":"like","n":3}"#), appendID: seven))
        #expect(rendered == "id: 7\nevent: like-bob\ndata: {\"to\":\"bob\",\"n\":3}\n\n")
    }

    @Test func aLineBreakCannotForgeAField() throws {
        let renderer = try renderer(name: "${@header.kind}")
        #expect(try text(renderer.event(message("{}"), appendID: seven)) == "id: 7\nevent: like\ndata: {}\n\n")
    }

    @Test(arguments: ["a\nb", "a\rb", "a\r\nb", "\n", "a\n\nb", "end\n", "end\r\n", "\r\n\r\n"])
    func everyLineOfThePayloadIsADataLine(payload: String) throws {
        var parser = EventStreamParser()
        parser.take(try text(renderer().event(message(Bytes(payload)), appendID: seven)))
        let normal = payload.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }
        #expect(parser.events == [.init(name: "message", data: normal.joined(separator: "\n"), id: "7")])
    }

    @Test func aTooLargeEventBecomesAGap() throws {
        let renderer = try renderer(limit: 100)
        let big = Bytes(String(repeating: "x", count: 100))
        guard case .gap(let chunk, .tooLarge) = try renderer.event(message(big), appendID: seven) else {
            return #expect(Bool(false), "it is no gap")
        }
        #expect(chunk.content.string == "id: 7\nevent: gap\ndata: {\"reason\":\"too_large\",\"first_kept\":\"7\"}\n\n")
    }

    @Test func theOpeningSetsTheIDAndDispatchesNothing() {
        var parser = EventStreamParser()
        parser.take(EventRenderer.opening(retryMilliseconds: 3_000, appendID: seven).content.string)
        #expect(parser.lastEventID == "7")
        #expect(parser.events.isEmpty)
        #expect(parser.retry == 3_000)
        parser.take(EventRenderer.heartbeat { _ in false }.content.string)
        #expect(parser.events.isEmpty)
        #expect(parser.comments == 2)
    }

    @Test func chunksAreFramedOnce() {
        let chunk = HTTPChunk(copying: [UInt8](repeating: UInt8(ascii: "x"), count: 27))
        #expect(chunk.framed.string == "1b\r\n" + String(repeating: "x", count: 27) + "\r\n")
        #expect(chunk.content.count == 27)
        #expect(HTTPChunk("ab").framed == "2\r\nab\r\n")
    }
}
