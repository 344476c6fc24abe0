import Martlet
import Testing

@testable import Pipelines

struct TransformChainTests {
    private func outputs(_ transforms: [any Transform], _ batch: [Record]) async throws -> [[String]?] {
        try await TransformChain(transforms).apply(to: batch).map { result in
            (try? result.get()).map { $0.map(\.text) }
        }
    }

    private static let exclaim = ScriptedTransform { batch in
        batch.map { record in
            var record = record
            record.event.payload = Bytes(record.text + "!")
            return .keep(record)
        }
    }

    @Test func withoutTransformsRecordsPass() async throws {
        #expect(try await outputs([], [.sample(0), .sample(1)]) == [["0"], ["1"]])
    }

    @Test func transformsRunOneAfterTheOther() async throws {
        let twice = ScriptedTransform { $0.map { .split([$0, $0]) } }
        #expect(try await outputs([Self.exclaim, twice, Self.exclaim], [.sample(7), .sample(8)]) == [["7!!", "7!!"], ["8!!", "8!!"]])
    }

    @Test func resultsStayWithTheirRecords() async throws {
        let mixed = ScriptedTransform { batch in
            batch.map { record in
                switch record.offset {
                case 0: .drop
                case 1: .fail(.permanent("x", "x"))
                case 2: .split([record, record, record])
                default: .keep(record)
                }
            }
        }
        let batch = (0..<5).map { Record.sample($0) }
        #expect(try await outputs([mixed, Self.exclaim], batch) == [[], nil, ["2!", "2!", "2!"], ["3!"], ["4!"]])
    }

    @Test func partsAreNumberedAndGetIDsOfTheirOwn() async throws {
        let split = ScriptedTransform { $0.map { .split([$0, $0, $0]) } }
        let parts = try await TransformChain([split]).apply(to: [.sample(5)])[0].get()
        #expect(parts.map(\.index) == [0, 1, 2])
        #expect(parts.map(\.event.id.string) == ["e5", "e5.1", "e5.2"])
        #expect(parts.allSatisfy { $0.offset == 5 })
    }

    @Test func onePartThatFailsFailsTheRecord() async throws {
        let split = ScriptedTransform { $0.map { .split([$0, $0]) } }
        let picky = ScriptedTransform { batch in
            batch.enumerated().map { $0.offset == 1 ? .fail(.permanent("picky", "no")) : .keep($0.element) }
        }
        #expect(try await outputs([split, picky], [.sample(0), .sample(1)]) == [nil, ["1", "1"]])
    }

    @Test func aWrongNumberOfResultsIsADefectOfTheModule() async throws {
        let short = ScriptedTransform { Array($0.dropLast().map { .keep($0) }) }
        await #expect {
            _ = try await TransformChain([short]).apply(to: [.sample(0), .sample(1)])
        } throws: { error in
            guard let error = error as? ModuleError else { return false }
            return error.kind == .blocked && error.code == "transform.wrong_count"
                && error.message.hasPrefix("transform scripted returned 1 results for 2 records")
        }
    }
}
