import Foundation
import Martlet
import MartletTesting
import Pipelines
import SQLitePlugin
import Synchronization
import TestSupport
import Testing
import WebhookPlugin

struct WebhookContractTests {
    /// Each channel has a database and an outside of its own.
    @Test(arguments: Backend.allCases) func keepsTheContract(backend: Backend) async throws {
        let folder = try TemporaryFolder()
        let outsides = Mutex<[RecordingHTTP]>([])
        let databases = Mutex<[any Database]>([])
        try await ChannelContract.verify(
            payload: { #"{"n": \#($0)}"# }, order: .key,
            attach: { _ in
                let outside = outsides.withLock { $0.last }
                return {
                    outside?.requests.compactMap { request in request.headers.first { $0.name == "webhook-id" }?.value } ?? []
                }
            },
            patience: .seconds(30),
            make: {
                let database: any Database
                switch backend {
                case .sqlite:
                    let name = databases.withLock { "hooks-\($0.count).db" }
                    database = try TestHost(baseDirectory: folder.path).make(SQLiteDatabase.self, #"{"path": "\#(name)"}"#)
                case .postgres: database = try PostgreSQLServer.shared.get().makeDatabase()
                }
                try await database.open()
                databases.withLock { $0.append(database) }
                let outside = RecordingHTTP()
                outsides.withLock { $0.append(outside) }
                let endpoint = WebhookFixture.endpoint("all", "https://example.com/hooks")
                return try TestHost(payloads: SimdjsonPayloadReader(), http: outside, databases: ["main": database]).make(
                    WebhookChannel.self, #"{"database": "main", "endpoints": {\#(endpoint)}}"#, name: "hooks")
            })
        for database in databases.withLock({ $0 }) { await database.close() }
    }
}
