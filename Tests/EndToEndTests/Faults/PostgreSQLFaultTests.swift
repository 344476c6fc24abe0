import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What happens to a PostgreSQL server and to the connections to it, under load, over two hosts.
    @Suite struct PostgreSQLFaultTests {
        /// The lease is shorter than the outage, so that each host finds the other's outbox abandoned when the server is back.
        @Test func aServerThatIsAwayLosesNoLike() async throws {
            let flow = try await LoadedCluster { _, config in config.set("host", "outbox_lease_seconds", to: 2) }
            try await flow.startLoad()
            let (host, saved) = (flow.cluster[0], flow.load.acknowledged.count)
            try flow.database.stop()
            let refused = flow.load.refusals
            _ = try await host.waitingReason(of: "groups.notification-store")
            try await Outage.pass()
            // Nothing was acknowledged that could not be saved; what was under way at the stop may have been.
            #expect(flow.load.acknowledged.count - saved < 200)
            #expect(flow.load.refusals > refused)
            let areOpen = flow.streams.allSatisfy { $0.isConnected }
            #expect(areOpen)
            let query = try await host.get("/users/owner-1/notifications")
            #expect(query.status == 503 && query.headers["retry-after"] != nil)
            try flow.database.start()
            try await flow.load.waitForMore(100)
            try await flow.settle()
            for number in 0..<2 { try await flow.cluster[number].waitUntilReady() }
        }

        /// Every connection of both hosts is ended again and again, in the middle of whatever it does.
        @Test func connectionsThatTheServerEndsLeaveNoHoleAndNoDuplicate() async throws {
            let flow = try await LoadedCluster()
            try await flow.startLoad()
            let end = ContinuousClock.now + Outage.length
            var ended = 0
            while ContinuousClock.now < end {
                ended += try await flow.database.sql.count(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'martlet'")
                try await flow.load.waitForMore(20)
            }
            #expect(ended > 20)
            try await flow.settle()
        }

        /// The server has committed and the answer never comes, for saves and for groups.
        @Test func commitsWhoseAnswersAreLostLeaveNoHoleAndNoDuplicate() async throws {
            let port = try FreePort.take()
            let server = try Server.postgreSQL(port: port)
            let cutter = try CommitCutter(to: port)
            let flow = try await LoadedCluster(postgreSQL: server) { _, config in
                config.set("databases", "main", "url", to: "postgres://postgres@127.0.0.1:\(cutter.port)/main")
            }
            try await flow.startLoad()
            for round in 1...15 {
                cutter.cutNext(2)
                try await eventually("two cuts") { cutter.cuts == round * 2 }
                try await flow.load.waitForMore(10)
            }
            #expect(flow.load.refusalCodes.contains("database.commit_uncertain"), "\(flow.load.summary)")
            try await flow.settle()
        }

        /// Set by an operator before a move, or by a provider whose disk is nearly full.
        @Test func aServerThatOnlyReadsIsWaitedFor() async throws {
            let flow = try await LoadedCluster(1)
            try await flow.startLoad()
            try await flow.database.sql.rows("ALTER SYSTEM SET default_transaction_read_only = on")
            try await flow.database.sql.rows("SELECT pg_reload_conf()")
            let reason = try await flow.cluster[0].waitingReason(of: "groups.notification-store")
            #expect(reason.contains("read-only transaction"))
            try await eventually("a refusal") { flow.load.refusalCodes == ["postgres.read_only"] }
            #expect(try await flow.cluster[0].get("/users/owner-1/notifications").status == 200)
            try await flow.database.sql.rows("ALTER SYSTEM RESET default_transaction_read_only")
            try await flow.database.sql.rows("SELECT pg_reload_conf()")
            try await flow.load.waitForMore(100)
            try await flow.settle()
        }

        /// The primary is lost, its standby only reads until somebody promotes it, and the url names both.
        @Test func aStandbyTakesOver() async throws {
            let server = try Server.postgreSQL(settings: "wal_level = replica")
            try server.run(
                #"""
                "$programs/pg_basebackup" -h "$folder" -U postgres -D "$folder/standby" -R -X stream -c fast && echo "port = 5433" >>"$folder/standby/postgresql.conf" && "$programs/pg_ctl" -D "$folder/standby" -l "$folder/standby.log" -w start
                """#)
            // A commit is answered when the standby has it, so that nothing acknowledged is lost with the primary.
            try await server.sql.rows("ALTER SYSTEM SET synchronous_standby_names = '*'")
            try await server.sql.rows("SELECT pg_reload_conf()")
            let both = server.address.replacingOccurrences(of: "&port=5432", with: "")
            let host = both.components(separatedBy: "host=")[1]
            let url = both + ",\(host)&port=5432,5433&target_session_attrs=read-write"
            let flow = try await LoadedCluster(1, postgreSQL: server) { _, config in config.set("databases", "main", "url", to: url) }
            try await flow.startLoad()
            try server.run(#""$programs/pg_ctl" -D "$folder/data" -m immediate -w stop"#)
            let reason = try await flow.cluster[0].waitingReason(of: "groups.notification-store")
            #expect(reason.contains("database `main`"))
            try server.run(#""$programs/pg_ctl" -D "$folder/standby" -w promote"#)
            try await flow.load.waitForMore(100)
            let standby = PSQL(url: server.address.replacingOccurrences(of: "5432", with: "5433"))
            try await flow.settle(in: standby)
            try server.run(#""$programs/pg_ctl" -D "$folder/standby" -m immediate -w stop"#)
        }

        /// The disk of the tables is full, and gets room again.
        @Test(.enabled(if: TinyDisk.isPossible, "\(TinyDisk.needs)"))
        func aFullDiskIsWaitedFor() async throws {
            let folder = try TemporaryFolder()
            let disk = try TinyDisk(at: folder["tables"], bytes: 24 << 20)
            let server = try Server.postgreSQL()
            try disk.give(to: "postgres")
            try await server.sql.rows("CREATE TABLESPACE tiny LOCATION '\(folder["tables"])'")
            try await server.sql.rows("ALTER DATABASE main SET default_tablespace = tiny")
            let flow = try await LoadedCluster(1, postgreSQL: server)
            try await flow.startLoad()
            try disk.fill()
            try await eventually("a refusal; \(flow.load.summary)") { flow.load.refusalCodes.contains("postgres.full") }
            let refusal = try await flow.cluster[0].waitingReason(of: "groups.notification-store")
            #expect(refusal.contains("the server's disk is full"))
            disk.empty()
            try await flow.load.waitForMore(50)
            try await flow.settle()
        }
    }
}
