import Foundation
import HTTPPlugin
import Martlet
import MartletTesting
import Pipelines
import TestSupport
import Testing

/// CloudEvents against the `cloudevents` package of PyPI, in both directions, and by hand.
@Suite struct CloudEventTests {
    private func source(_ fields: String = "") throws -> HTTPSource {
        try TestHost(payloads: SimdjsonPayloadReader(), schemas: ValijsonSchemaCompiler()).make(
            HTTPSource.self, #"{"path": "/events", "content": "cloudevents"\#(fields)}"#)
    }

    /// The answer, and the inputs that arrived.
    private func send(
        _ headers: [String: String], _ body: String, _ fields: String = ""
    ) async throws -> (HTTPResponse, [SourceInput]) {
        let source = try source(fields)
        let intake = RecordingIntake { _, input in .published(id: input.id ?? "none", topic: "t", partition: 0, offset: 0) }
        try await source.open(intake: intake)
        let exchange = FakeExchange("POST", headers: headers.map { (name: $0.key, value: $0.value) }, body: Bytes(body))
        source.routes[0].handle(exchange)
        let response = await exchange.response()
        await source.close()
        return (response, intake.inputs)
    }

    /// Has Python make an event, as JSON of headers and body.
    private static let maker = """
        import json, sys
        from cloudevents.v1.http import CloudEvent
        from cloudevents.v1.conversion import to_binary, to_structured
        event = CloudEvent({"id": "a-1", "source": "/shop/über", "type": "com.example.order", "subject": "order 7", "time": "2026-11-24T14:00:00Z",
                            "traceid": "x%y"}, {"n": 1, "text": "grüße"})
        headers, body = (to_binary if sys.argv[1] == "binary" else to_structured)(event)
        print(json.dumps({"headers": dict(headers), "body": body.decode()}))
        """

    @Test(arguments: ["binary", "structured"])
    func pythonsEventsAreTaken(mode: String) async throws {
        let line = try #require(try Python.run(Self.maker, [mode]).first)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let headers = try #require(object["headers"] as? [String: String])
        let (response, inputs) = try await send(
            mode == "binary" ? headers.merging(["content-type": "application/json"]) { $1 } : headers, try #require(object["body"] as? String))
        #expect(response.status == 202, "\(response.body)")
        let input = try #require(inputs.first)
        #expect(input.id == "a-1" && input.key == "order 7")
        let fields = Dictionary(input.headers.map { ($0.name, $0.value.string) }) { first, _ in first }
        #expect(fields["ce_type"] == "com.example.order" && fields["ce_subject"] == "order 7" && fields["ce_specversion"] == "1.0")
        #expect(fields["ce_time"]?.hasPrefix("2026-11-24T14:00:00") == true)
        #expect(fields["ce_source"] == "/shop/über" || mode == "binary")
        let payload = try #require(try JSONSerialization.jsonObject(with: Data(input.payload.string.utf8)) as? [String: Any])
        #expect(payload["n"] as? Int == 1 && payload["text"] as? String == "grüße")
    }

    @Test(arguments: ["binary", "structured"])
    func pythonReadsWhatTheSinkSends(mode: String) async throws {
        let receiver = try HTTPReceiver()
        let sink = try TestHost(payloads: SimdjsonPayloadReader(), http: HTTPClients()).make(
            HTTPSink.self, #"{"url": "\#(receiver.url)/", "cloudevents": "\#(mode)", "cloudevents_source": "/martlet/test"}"#)
        try await sink.open()
        let event = Event(
            id: "id-9", key: "ben", headers: [Header("ce_type", "order.placed"), Header("ce_traceid", "a \"b\" %")],
            payload: #"{"n":12,"text":"grüße"}"#, timestamp: 1_795_528_800_123)
        _ = try await sink.write([Record(topic: "t", partition: 0, offset: 1, event: event)])
        await sink.close()
        let request = try #require(receiver.requests.first)
        let script = """
            import json, sys
            from cloudevents.v1.http import from_http
            event = from_http(json.loads(sys.argv[1]), sys.argv[2].encode())
            for name in ("id", "source", "type", "traceid", "partitionkey", "time"): print(event[name])
            data = event.data if not isinstance(event.data, (bytes, str)) else json.loads(event.data)
            print(data["n"], data["text"])
            """
        let headers = String(decoding: try JSONSerialization.data(withJSONObject: request.headers), as: UTF8.self)
        let lines = try Python.run(script, [headers, request.body])
        let trace = mode == "binary" ? lines[3].removingPercentEncoding : lines[3]
        #expect(Array(lines[..<3]) == ["id-9", "/martlet/test", "order.placed"])
        #expect(trace == "a \"b\" %")
        #expect(lines[4] == "ben" && lines[5].hasPrefix("2026-11-24T14:00:00.123") && lines[6] == "12 grüße")
    }

    @Test func aBatchIsTakenOrRefusedWhole() async throws {
        let type = ["Content-Type": "application/cloudevents-batch+json; charset=UTF-8"]
        let good = #"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"n":1},"count":7,"flag":true,"none":null}"#
        let other = #"{"specversion":"1.0","id":"2","source":"/s","type":"t","datacontenttype":"text/plain","data":"a\nb"}"#
        let binary = #"{"specversion":"1.0","id":"3","source":"/s","type":"t","datacontenttype":"image/png","data_base64":"/wA="}"#
        let (response, inputs) = try await send(type, "[\(good),\(other), \(binary)]")
        #expect(response.status == 200)
        #expect(inputs.map(\.payload) == [#"{"n":1}"#, "a\nb", Bytes([0xFF, 0])])
        #expect(inputs.map(\.id) == ["1", "2", "3"])
        #expect(inputs[0].headers.contains(Header("ce_count", "7")) && inputs[0].headers.contains(Header("ce_flag", "true")))
        #expect(!inputs[0].headers.contains { $0.name == "ce_none" })
        let (refused, none) = try await send(type, "[\(good),\(good.replacingOccurrences(of: "\"type\":\"t\",", with: ""))]")
        #expect(refused.status == 400 && none.isEmpty)
        #expect(refused.body.string.contains(#""detail":"/1/type: is missing"#), "\(refused.body)")
    }

    @Test(arguments: [
        (["Content-Type": "application/json"], "{}", 415, "Expected headers ce-specversion"),
        (["ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s"], "", 400, "ce-type: is missing"),
        (["ce-specversion": "0.3", "ce-id": "1", "ce-source": "/s", "ce-type": "t"], "", 400, #"ce-specversion: must be \"1.0\", found \"0.3\""#),
        (["ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t", "ce-a_b": "x"], "", 400, "ce-a_b: attributes are named"),
        (["ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t"], "{", 400, "not JSON"),
        (["Content-Type": "application/cloudevents+json"], "[1]", 400, ": must be an object"),
        (["Content-Type": "application/cloudevents+json"], #"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1,"data_base64":""}"#, 400, "/data_base64: stands beside data"),
        (["Content-Type": "application/cloudevents+json"], #"{"specversion":"1.0","id":1.5,"source":"/s","type":"t"}"#, 400, "/id: must be a string"),
    ])
    func whatIsNoCloudEventIsRefused(headers: [String: String], body: String, status: Int, text: String) async throws {
        let (response, inputs) = try await send(headers, body)
        #expect(response.status == status && inputs.isEmpty)
        #expect(response.body.string.contains(text), "\(response.body)")
    }

    @Test func theSchemaIsForTheData() async throws {
        let schema = #", "body_schema": {"type": "object", "required": ["n"]}"#
        let headers = ["ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t"]
        #expect(try await send(headers, #"{"n":1}"#, schema).0.status == 202)
        #expect(try await send(headers, "{}", schema).0.status == 422)
        #expect(try await send(headers.merging(["Content-Type": "text/plain"]) { $1 }, "n", schema).0.status == 400)
    }

    @Test func anEventLeavesAsItCame() throws {
        let json: Bytes = #"{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2026-01-02T03:04:05Z","subject":"x","datacontenttype":"application/json","data":{"a":[1,"}\"{"]}}"#
        let event = try CloudEvent(structured: json)
        let input = event.input()
        let again = CloudEvent(
            Event(id: input.id ?? .empty, key: input.key, headers: input.headers, payload: input.payload, timestamp: 7), source: "/other", type: "other")
        #expect(again == event)
        #expect(try CloudEvent(structured: again.structured(with: SimdjsonPayloadReader())) == event)
        #expect(try CloudEvent(binary: again.binaryHeaders, body: again.data ?? .empty) == event)
    }
}
