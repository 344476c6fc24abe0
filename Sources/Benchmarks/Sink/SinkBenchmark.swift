/// `martlet bench sink`: a group that writes a topic to a table, beside a bare loop that inserts the same rows at the
/// same durability.
///
/// Both take turns, and who goes first changes with each turn: a disk that slows down or recovers meanwhile, and what one
/// leaves for the other to write back, fall on both alike.
package struct SinkBenchmark: Benchmark {
    /// What the table is in.
    package enum Database: String, CaseIterable, Sendable {
        case sqlite, postgres
    }

    /// Rows of one turn: more than half a second's.
    private static let turn = 100_000

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
        report.note("both in turns of \(Self.turn) rows on the same disk or server, each turn begun by the other one")
        report.note("the group also reads its log, looks the values up in JSON, and moves its offset in each transaction")
        return report
    }

    private func sqlite(_ report: inout BenchmarkReport) throws {
        let folder = try TemporaryFolder(in: settings.directory)
        let bare = try BareSQLite(folder.path + "/bare.db")
        try bare.prepare()
        let host = try SinkHost(database: #""type": "sqlite", "path": "main.db""#, in: folder)
        let seconds = try takeTurns(host) { rows throws(BenchmarkError) in try bare.insert(rows) }
        bare.close()
        host.stop()
        let written = try BareSQLite(folder.path + "/main.db")
        add("SQLite", "bare sqlite3 loop", seconds, aim: 70, kept: try written.count(), &report)
        written.close()
    }

    private func postgreSQL(_ report: inout BenchmarkReport) throws {
        let server = try PostgreSQLProcess(in: settings.directory)
        let admin = try BarePostgreSQL(server.url)
        _ = try admin.value("CREATE DATABASE bare")
        let bare = try BarePostgreSQL(server.url.replacing("/postgres?", with: "/bare?"))
        try bare.prepare()
        let folder = try TemporaryFolder(in: settings.directory)
        let host = try SinkHost(database: #""type": "postgres", "url": "\#(server.url)""#, in: folder)
        let seconds = try takeTurns(host) { rows throws(BenchmarkError) in try bare.insert(rows) }
        bare.close()
        host.stop()
        let count = Int(try admin.value("SELECT count(*) FROM notifications")) ?? 0
        admin.close()
        add("PostgreSQL", "bare libpq, unnest", seconds, aim: 90, kept: count, &report)
    }

    /// The seconds that each of them took for all rows.
    private func takeTurns(
        _ host: SinkHost, _ bare: (SinkRows) throws(BenchmarkError) -> Double
    ) throws(BenchmarkError) -> (group: Double, bare: Double) {
        var (group, others) = (0.0, 0.0)
        var isBareFirst = true
        for first in stride(from: 0, to: rows, by: Self.turn) {
            let count = min(Self.turn, rows - first)
            let bareRows = SinkRows(count)
            if isBareFirst { others += try bare(bareRows) }
            try host.fill(count)
            group += try host.empty(of: first + count)
            if !isBareFirst { others += try bare(bareRows) }
            isBareFirst.toggle()
        }
        return (group, others)
    }

    private func add(
        _ name: String, _ bareName: String, _ seconds: (group: Double, bare: Double), aim: Double, kept: Int,
        _ report: inout BenchmarkReport
    ) {
        report.add("group to \(name)", Double(rows) / seconds.group, "rows/s")
        report.add(bareName, Double(rows) / seconds.bare, "rows/s")
        report.add("group to \(name), of bare", seconds.bare / seconds.group * 100, "%", aim: .atLeast(aim))
        report.addPromise("missing in \(name)", max(0, rows - kept))
        report.addPromise("twice in \(name)", max(0, kept - rows))
    }
}
