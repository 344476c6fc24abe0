import Martlet
import MartletTesting
import PostgreSQLPlugin
import SQLitePlugin
import TestSupport
import Testing

/// What a client waits for goes ahead of what the groups write.
struct UrgentTransactionTests {
    @Test func sqlite() async throws {
        let folder = try TemporaryFolder()
        try await expectUrgentFirst(TestHost(baseDirectory: folder.path).make(SQLiteDatabase.self, #"{"path": "main.db"}"#))
    }

    @Test func postgreSQL() async throws {
        try await expectUrgentFirst(PostgreSQLServer.shared.get().makeDatabase())
    }

    private func expectUrgentFirst(_ database: any Database) async throws {
        try await database.open()
        let (gate, order) = (TestGate(), Lines())
        async let held: Void = database.transaction { _ in gate.hold() }
        await gate.isHeld()
        database.transaction({ _ in order.append("other") }, completion: { _ in })
        database.urgentTransaction({ _ in order.append("urgent") }, completion: { _ in })
        gate.release()
        try await held
        // What is queued has run then.
        await database.close()
        #expect(order.all == ["urgent", "other"])
    }
}
