/// `martlet bench sink`: a group that writes a topic to a table, beside a bare loop that inserts the same rows at the
/// same durability.
///
/// They take turns, and who goes first changes with each turn: a disk that slows down or recovers meanwhile, and what one
/// leaves for another to write back, fall on all alike.
package struct SinkBenchmark: Benchmark {
    /// What the table is in.
    package enum Database: String, CaseIterable, Sendable {
        case sqlite, postgres
    }

    /// A bare loop to compare with.
    private struct Bare {
        let name: String
        /// The group's rate, of this one's, in percent.
        var aim: Double?
        /// Returns the seconds that it took.
        let insert: (SinkRows) throws(BenchmarkError) -> Double
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
        report.note("in turns of \(Self.turn) rows on the same disk or server, each turn begun by another one")
        report.note("own insert: the bare loop with the INSERT that the group sends, which is faster than `FROM unnest`")
        report.note("the group also reads its log, looks the values up in JSON, and moves its offset in each transaction")
        return report
    }

    private func sqlite(_ report: inout BenchmarkReport) throws {
        let folder = try TemporaryFolder(in: settings.directory)
        let bare = try BareSQLite(folder.path + "/bare.db")
        try bare.prepare()
        let host = try SinkHost(database: #""type": "sqlite", "path": "main.db""#, in: folder)
        let bares = [Bare(name: "bare sqlite3 loop", aim: 70) { rows throws(BenchmarkError) in try bare.insert(rows) }]
        let seconds = try takeTurns(host, bares)
        bare.close()
        host.stop()
        let written = try BareSQLite(folder.path + "/main.db")
        add("SQLite", bares, seconds, kept: try written.count(), &report)
        written.close()
    }

    private func postgreSQL(_ report: inout BenchmarkReport) throws {
        let server = try PostgreSQLProcess(in: settings.directory)
        let admin = try BarePostgreSQL(server.url)
        var open: [BarePostgreSQL] = []
        var bares: [Bare] = []
        for (index, select) in BarePostgreSQL.Select.allCases.enumerated() {
            _ = try admin.value("CREATE DATABASE bare\(index)")
            let bare = try BarePostgreSQL(server.url.replacing("/postgres?", with: "/bare\(index)?"))
            try bare.prepare(select)
            open.append(bare)
            bares.append(Bare(name: select.rawValue, aim: index == 0 ? 90 : nil) { rows throws(BenchmarkError) in try bare.insert(rows) })
        }
        let folder = try TemporaryFolder(in: settings.directory)
        let host = try SinkHost(database: #""type": "postgres", "url": "\#(server.url)""#, in: folder)
        let seconds = try takeTurns(host, bares)
        for bare in open { bare.close() }
        host.stop()
        let count = Int(try admin.value("SELECT count(*) FROM notifications")) ?? 0
        admin.close()
        add("PostgreSQL", bares, seconds, kept: count, &report)
    }

    /// The seconds that each of them took for all rows.
    private func takeTurns(_ host: SinkHost, _ bares: [Bare]) throws(BenchmarkError) -> (group: Double, bares: [Double]) {
        var seconds = (group: 0.0, bares: [Double](repeating: 0, count: bares.count))
        for (turn, first) in stride(from: 0, to: rows, by: Self.turn).enumerated() {
            let count = min(Self.turn, rows - first)
            let bareRows = SinkRows(count)
            for position in 0...bares.count {
                let who = (turn + position) % (bares.count + 1)
                if who < bares.count {
                    seconds.bares[who] += try bares[who].insert(bareRows)
                } else {
                    try host.fill(count)
                    seconds.group += try host.empty(of: first + count)
                }
            }
        }
        return seconds
    }

    private func add(
        _ name: String, _ bares: [Bare], _ seconds: (group: Double, bares: [Double]), kept: Int, _ report: inout BenchmarkReport
    ) {
        report.add("group to \(name)", Double(rows) / seconds.group, "rows/s")
        for (bare, time) in zip(bares, seconds.bares) {
            report.add(bare.name, Double(rows) / time, "rows/s")
            report.add("group to \(name), of \(bare.name)", time / seconds.group * 100, "%", aim: bare.aim.map { .atLeast($0) })
        }
        report.addPromise("missing in \(name)", max(0, rows - kept))
        report.addPromise("twice in \(name)", max(0, kept - rows))
    }
}
