/// `martlet bench sink`: a group that writes a topic to a table, beside a bare loop that inserts the same rows at the
/// same durability.
package struct SinkBenchmark: Benchmark {
    /// What the table is in.
    package enum Database: String, CaseIterable, Sendable {
        case sqlite, postgres
    }

    private let settings: BenchmarkSettings
    private let databases: [Database]
    private let rows: Int

    /// - Parameter rows: written in each measurement.
    package init(_ settings: BenchmarkSettings, databases: [Database], rows: Int) {
        self.settings = settings
        self.databases = databases
        self.rows = rows
    }

    package func run() throws -> BenchmarkReport {
        var report = BenchmarkReport("sink")
        for run in 1...settings.runs {
            for database in databases {
                settings.progress("run \(run) of \(settings.runs): \(database.rawValue)")
                switch database {
                case .sqlite: try sqlite(&report)
                case .postgres: try postgreSQL(&report)
                }
            }
        }
        report.note("\(rows) rows of an id, two texts and a time; batches of \(SinkRows.batch), each committed and synced")
        report.note("the group also reads its log, looks the values up in JSON, and moves its offset in each transaction")
        return report
    }

    private func sqlite(_ report: inout BenchmarkReport) throws {
        let folder = try TemporaryFolder(in: settings.directory)
        let bare = try BareSQLite(folder.path + "/bare.db")
        let bareRate = try bare.insert(SinkRows(rows))
        bare.close()
        let host = try SinkHost(database: #""type": "sqlite", "path": "main.db""#, rows: rows, in: folder)
        let rate = try host.run(rows: rows)
        host.stop()
        let written = try BareSQLite(folder.path + "/main.db")
        add("SQLite", rate, "bare sqlite3 loop", bareRate, aim: 70, kept: try written.count(), &report)
        written.close()
    }

    private func postgreSQL(_ report: inout BenchmarkReport) throws {
        let server = try PostgreSQLProcess(in: settings.directory)
        let admin = try BarePostgreSQL(server.url)
        _ = try admin.value("CREATE DATABASE bare")
        let bare = try BarePostgreSQL(server.url.replacing("/postgres?", with: "/bare?"))
        let bareRate = try bare.insert(SinkRows(rows))
        bare.close()
        let folder = try TemporaryFolder(in: settings.directory)
        let host = try SinkHost(database: #""type": "postgres", "url": "\#(server.url)""#, rows: rows, in: folder)
        let rate = try host.run(rows: rows)
        host.stop()
        let count = Int(try admin.value("SELECT count(*) FROM notifications")) ?? 0
        admin.close()
        add("PostgreSQL", rate, "bare libpq, unnest", bareRate, aim: 90, kept: count, &report)
    }

    private func add(
        _ name: String, _ rate: Double, _ bareName: String, _ bareRate: Double, aim: Double, kept: Int,
        _ report: inout BenchmarkReport
    ) {
        report.add("group to \(name)", rate, "rows/s")
        report.add(bareName, bareRate, "rows/s")
        report.add("group to \(name), of bare", rate / bareRate * 100, "%", aim: .atLeast(aim))
        report.addPromise("missing in \(name)", max(0, rows - kept))
        report.addPromise("twice in \(name)", max(0, kept - rows))
    }
}
