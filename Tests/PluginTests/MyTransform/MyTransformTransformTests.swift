import MyTransformPlugin
import Martlet
import MartletTesting
import Pipelines
import Testing

struct MyTransformTransformTests {
    private func transform(_ json: String) throws -> MyTransformTransform {
        try TestHost(payloads: SimdjsonPayloadReader()).make(MyTransformTransform.self, json)
    }

    @Test func keepsTheContract() async throws {
        try await TransformContract.verify(
            payload: { #"{"type": "\#($0 % 2 == 0 ? "like" : "view")"}"# }, badPayload: "{}",
            make: { try transform(ReadmeExample.json(of: "MyTransform")) })
    }

    @Test func keepsWhatIsInTheList() async throws {
        let batch = ["like", "view", "follow"].enumerated().map { number, type in
            Record(
                topic: "t", partition: 0, offset: Offset(number),
                event: Event(id: Bytes("\(number)"), key: nil, payload: Bytes(#"{"type": "\#(type)"}"#), timestamp: 0))
        }
        let results = try await transform(ReadmeExample.json(of: "MyTransform")).apply(to: batch)
        #expect(results.map { if case .keep = $0 { true } else { false } } == [true, false, true])
    }
}
