public import Martlet

/// What every ``Sink`` promises, as a suite that an author runs on a new sink with one call:
///
/// ```swift
/// try await SinkContract.verify(
///     payload: { #"{"name": "row \#($0)"}"# },
///     make: { try host.make(AuditSink.self, #"{"path": "\#(file)"}"#) },
///     written: { try lines(of: file) })
/// ```
///
/// Records have the ids `record-0`, `record-1` …; `written` returns the ids that have arrived, in any order, and as often
/// as they have.
/// A ``TransactionalSink`` is verified to keep its offset with its rows.
public struct SinkContract: Sendable {
    /// Makes a sink that is not open yet. The store is the same for every call, and empty before the first.
    public typealias Factory = @Sendable () async throws -> any Sink

    let payload: @Sendable (Int) -> String
    let badPayload: String?
    let isOrdered: Bool
    let patience: Patience
    let make: Factory
    let makeUnreachable: Factory?
    let written: @Sendable () async throws -> [String]

    /// Verifies all promises.
    ///
    /// - Parameters:
    ///   - payload: the payload of the record with a number.
    ///   - badPayload: a payload that the sink must refuse as the record's own fault; nil if there is none.
    ///   - isOrdered: whether `written` has the ids in the order of their arrival, so that the order can be verified.
    ///   - patience: how long to wait for a sink before it counts as hanging.
    ///   - make: makes a sink.
    ///   - makeUnreachable: makes a sink whose store is away; nil if that cannot be.
    ///   - written: the ids that have arrived.
    /// - Throws: ``ContractViolation`` for the first promise that is broken.
    public static func verify(
        payload: @escaping @Sendable (Int) -> String, badPayload: String? = nil, isOrdered: Bool = false,
        patience: Duration = .seconds(30), make: @escaping Factory, makeUnreachable: Factory? = nil, written: @escaping @Sendable () async throws -> [String]
    ) async throws {
        let contract = SinkContract(
            payload: payload, badPayload: badPayload, isOrdered: isOrdered, patience: Patience(limit: patience), make: make, makeUnreachable: makeUnreachable, written: written)
        try await contract.verifyLifeCycle()
        try await contract.verifyAway()
        try await contract.verifyWriting()
        try await contract.verifyBadRecord()
        try await contract.verifyTransactions()
        try await contract.verifyFencing()
        try await contract.verifyPartitionsBesideEachOther()
        try await contract.verifyCancellation()
    }

    func records(_ numbers: Range<Int>, partition: PartitionID = 0) -> [Record] {
        numbers.map { record($0, payload($0), partition: partition) }
    }

    func record(_ number: Int, _ payload: String, partition: PartitionID = 0) -> Record {
        Record(
            topic: "contract", partition: partition, offset: Offset(number),
            event: Event(id: Bytes("record-\(number)"), key: Bytes("key"), payload: Bytes(payload), timestamp: 1_700_000_000_000))
    }

    /// Records from this number on are never written again, so that they must have arrived exactly once.
    static let firstWrittenOnce = 1_000

    /// Verifies that exactly these records have arrived.
    func requireWritten(_ numbers: some Sequence<Int>, _ promise: Promise, _ when: String) async throws {
        let again = Set((0..<Self.firstWrittenOnce).map { "record-\($0)" })
        let ids = try await written()
        let found = (Set(ids.filter(again.contains)) + ids.filter { !again.contains($0) }).sorted()
        let expected = numbers.map { "record-\($0)" }.sorted()
        if found == expected { return }
        let missing = Set(expected).subtracting(found).sorted().prefix(5)
        let surplus = Set(found).subtracting(expected).sorted().prefix(5)
        throw ContractViolation(
            promise.text,
            "\(when): expected \(expected.count) records, found \(found.count); missing \(Array(missing)), not expected "
                + "\(Array(surplus)), \(found.count - Set(found).count) of them more than once")
    }

    func withSink<Value>(_ body: (any Sink) async throws -> Value) async throws -> Value {
        let sink = try await make()
        do {
            try await sink.open()
            let value = try await body(sink)
            await sink.close()
            return value
        } catch {
            await sink.close()
            throw error
        }
    }
}
