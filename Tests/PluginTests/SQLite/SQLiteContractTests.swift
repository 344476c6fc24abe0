import Martlet
import MartletTesting
import SQLitePlugin
import TestSupport
import Testing

struct SQLiteContractTests {
    @Test func keepsTheContract() async throws {
        let folder = try TemporaryFolder()
        try await DatabaseContract.verify { request in
            let file = request.isReachable ? "\(request.store).db" : "missing/\(request.store).db"
            return try TestHost(baseDirectory: folder.path).make(
                SQLiteDatabase.self, #"{"path": "\#(file)", \#(request.commonFields)}"#)
        }
    }
}
