import ExecPlugin
import Martlet
import MartletTesting
import Testing

@Suite struct ExecTransformTests {
    private func results(_ answer: String, count: Int = 5) async throws -> [TransformResult] {
        let harness = try ExecHarness("ready()\nfor batch in batches(): answer(batch, \(answer))")
        let transform = try harness.make(ExecTransform.self)
        try await transform.open()
        do {
            let results = try await transform.apply(to: ExecHarness.records(0..<count))
            await transform.close()
            return results
        } catch {
            await transform.close()
            throw error
        }
    }

    @Test func recordsAreKeptDroppedChangedSplitAndRejected() async throws {
        let results = try await results(
            """
            ["keep", "drop", {"payload": {"n": -1}, "key": None, "headers": {"a": "b", "c": 7, "d": None}},
             [{"payload": 1}, {"payload_base64": "/wA=", "key": "eve"}], {"reject": "bad"}]
            """.replacing("\n", with: ""))
        guard case .keep(let kept) = results[0], case .drop = results[1], case .keep(let changed) = results[2],
            case .split(let parts) = results[3], case .fail(let error) = results[4]
        else { return #expect(Bool(false), "\(results)") }
        #expect(kept.event.payload == #"{"n": 0}"#)
        #expect(changed.event.payload == #"{"n": -1}"#)
        #expect(changed.event.key == nil)
        #expect(changed.event.headers == [Header("a", "b"), Header("c", "7")])
        #expect(changed.offset == 2)
        #expect(changed.event.id == "id-2")
        #expect(parts.map(\.event.payload) == ["1", Bytes([0xFF, 0])])
        #expect(parts.map(\.event.key) == ["ben", "eve"])
        #expect(parts[0].event.headers == [Header("trace", "t")])
        #expect(error.kind == .permanent)
        #expect(error.message == "bad")
    }

    @Test func aWordStandsForAll() async throws {
        let results = try await results("'drop'")
        #expect(results.count == 5)
        for result in results { if case .drop = result {} else { #expect(Bool(false)) } }
    }

    @Test(arguments: [("retry", ModuleError.Kind.transient), ("block", .blocked)])
    func whatMayPassFailsTheBatch(word: String, kind: ModuleError.Kind) async throws {
        let error = await #expect(throws: ModuleError.self) {
            _ = try await results("['keep', {'\(word)': 'later'}]", count: 2)
        }
        #expect(error?.kind == kind)
    }

    @Test func aTransformIsStateful() {
        #expect(ExecTransform.isStateful)
    }
}
