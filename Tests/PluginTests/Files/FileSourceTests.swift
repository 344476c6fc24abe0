import FilesPlugin
import Foundation
import Martlet
import MartletTesting
import Pipelines
import Synchronization
import TestSupport
import Testing

@Suite struct FileSourceTests {
    /// A folder with files, a data folder, and what arrived.
    private final class Scene {
        let folder: TemporaryFolder
        let intake: RecordingIntake
        let host: TestHost

        init(_ intake: RecordingIntake? = nil) throws {
            folder = try TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder.path + "/data", withIntermediateDirectories: true)
            self.intake = intake ?? RecordingIntake { _, _ in .published(id: "x", topic: "t", partition: 0, offset: 0) }
            host = TestHost(baseDirectory: folder.path, dataDirectory: folder.path + "/data", payloads: SimdjsonPayloadReader())
        }

        func path(_ name: String) -> String { folder.path + "/" + name }

        func append(_ text: String, to name: String = "a.log") throws {
            if !FileManager.default.fileExists(atPath: path(name)) { _ = FileManager.default.createFile(atPath: path(name), contents: nil) }
            let handle = try #require(FileHandle(forWritingAtPath: path(name)))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
        }

        func lines(_ range: Range<Int>) -> String { range.map { "{\"n\":\($0)}\n" }.joined() }

        func source(_ fields: String = "", path name: String = "a.log") throws -> FileSource {
            try host.make(FileSource.self, "{\"path\": \"\(path(name))\", \"poll_ms\": 10\(fields)}", name: "logs")
        }

        /// The numbers that arrived, in order.
        var numbers: [Int] {
            intake.inputs.compactMap { Int($0.payload.string.dropFirst(5).dropLast()) }
        }

        func run(_ source: FileSource, until count: Int) async throws {
            try await source.open(intake: intake)
            await waitUntil { intake.inputs.count >= count }
            await source.close()
        }
    }

    @Test func linesArriveAsTheyAreWritten() async throws {
        let scene = try Scene()
        let source = try scene.source()
        try await source.open(intake: scene.intake)
        try scene.append(scene.lines(0..<3) + "\n\r\n{\"n\":3}\r\n{\"n\"")
        await waitUntil { scene.numbers.count == 4 }
        try scene.append(":4}\n")
        await waitUntil { scene.numbers.count == 5 }
        await source.close()
        #expect(scene.numbers == [0, 1, 2, 3, 4])
        #expect(scene.intake.inputs[0].headers == [Header("file", Bytes(scene.path("a.log")))])
        let ids = scene.intake.inputs.compactMap(\.id)
        #expect(Set(ids).count == 5)
        #expect(ids.allSatisfy { $0.string.hasPrefix("logs/") })
    }

    @Test func aRestartGoesOnWhereItWas() async throws {
        let scene = try Scene()
        try scene.append(scene.lines(0..<1000))
        try await scene.run(scene.source(#", "batch_events": 100"#), until: 1000)
        try scene.append(scene.lines(1000..<1010))
        try await scene.run(scene.source(), until: 1010)
        #expect(scene.numbers == Array(0..<1010))
    }

    @Test func whatWasNotSettledComesAgainWithTheSameIds() async throws {
        let scene = try Scene()
        try scene.append(scene.lines(0..<10))
        // A source whose data folder is put back, as after a crash before the position was written.
        try await scene.run(scene.source(), until: 10)
        let file = scene.path("data/sources/logs.positions")
        let state = try String(contentsOfFile: file, encoding: .utf8)
        let words = state.split(separator: "\n")[1].split(separator: " ").map(String.init)
        let old = state.replacing(" \(words[2]) \(words[3]) \(words[4]) \(words[5]) ", with: " 0 \(words[3]) 0 0 ")
        try old.write(toFile: file, atomically: true, encoding: .utf8)
        try await scene.run(scene.source(), until: 20)
        let ids = scene.intake.inputs.compactMap(\.id)
        #expect(ids[..<10] == ids[10...])
    }

    @Test func aRenamedFileIsReadToItsEndBeforeTheNewOne() async throws {
        let scene = try Scene()
        let source = try scene.source()
        try await source.open(intake: scene.intake)
        try scene.append(scene.lines(0..<5))
        await waitUntil { scene.numbers.count == 5 }
        let writer = try #require(FileHandle(forWritingAtPath: scene.path("a.log")))
        try writer.seekToEnd()
        try FileManager.default.moveItem(atPath: scene.path("a.log"), toPath: scene.path("a.log.1"))
        // The writer has not noticed yet; and its last line has no end.
        try writer.write(contentsOf: Data((scene.lines(5..<8) + "{\"n\":8}").utf8))
        try writer.close()
        await waitUntil { scene.numbers.count == 9 }
        try scene.append(scene.lines(9..<12))
        await waitUntil { scene.numbers.count == 12 }
        await source.close()
        #expect(scene.numbers == Array(0..<12))
    }

    @Test func aFileRenamedWhileNobodyLookedIsFound() async throws {
        let scene = try Scene()
        try scene.append(scene.lines(0..<5))
        try await scene.run(scene.source(), until: 5)
        try scene.append(scene.lines(5..<7))
        try FileManager.default.moveItem(atPath: scene.path("a.log"), toPath: scene.path("a.log.1"))
        try scene.append(scene.lines(7..<9))
        try await scene.run(scene.source(), until: 9)
        #expect(scene.numbers == Array(0..<9))
    }

    @Test func aFileThatIsCutOffBeginsAgain() async throws {
        let scene = try Scene()
        let source = try scene.source()
        try await source.open(intake: scene.intake)
        try scene.append(scene.lines(0..<5))
        await waitUntil { scene.numbers.count == 5 }
        let handle = try #require(FileHandle(forWritingAtPath: scene.path("a.log")))
        try handle.truncate(atOffset: 0)
        // At once longer than before: only its beginning tells.
        try handle.write(contentsOf: Data(scene.lines(100..<120).utf8))
        try handle.close()
        await waitUntil { scene.numbers.count == 25 }
        await source.close()
        #expect(scene.numbers == Array(0..<5) + Array(100..<120))
        #expect(Set(scene.intake.inputs.compactMap(\.id)).count == 25)
    }

    @Test func aNewFileWithAnOldInodeIsNotTakenForIt() async throws {
        let scene = try Scene()
        try scene.append(scene.lines(0..<5))
        try await scene.run(scene.source(), until: 5)
        // In place, so that the inode stays, whatever the file system does with freed ones.
        let handle = try #require(FileHandle(forWritingAtPath: scene.path("a.log")))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(scene.lines(50..<60).utf8))
        try handle.close()
        try await scene.run(scene.source(), until: 15)
        #expect(scene.numbers == Array(0..<5) + Array(50..<60))
    }

    @Test func aPatternFollowsAllThatMatch() async throws {
        let scene = try Scene()
        try scene.append(scene.lines(0..<2), to: "a.log")
        try scene.append(scene.lines(2..<4), to: "b.log")
        try scene.append(scene.lines(90..<99), to: "c.txt")
        let source = try scene.source(#", "max_files": 3"#, path: "*.log")
        try await source.open(intake: scene.intake)
        await waitUntil { scene.numbers.count == 4 }
        try scene.append(scene.lines(4..<6), to: "d.log")
        await waitUntil { scene.numbers.count == 6 }
        await source.close()
        #expect(scene.numbers.sorted() == Array(0..<6))
    }

    @Test func startAtTheEndSkipsWhatIsThere() async throws {
        let scene = try Scene()
        try scene.append(scene.lines(0..<5))
        let source = try scene.source(#", "start": "end""#, path: "*.log")
        try await source.open(intake: scene.intake)
        await waitUntil { FileManager.default.fileExists(atPath: scene.path("data/sources/logs.positions")) }
        try scene.append(scene.lines(5..<7))
        try scene.append(scene.lines(7..<9), to: "b.log")
        await waitUntil { scene.numbers.count == 4 }
        await source.close()
        #expect(scene.numbers.sorted() == [5, 6, 7, 8])
    }

    @Test func badLinesAreSkippedAndCounted() async throws {
        let scene = try Scene(
            RecordingIntake { _, input in
                input.payload == "{\"n\":2}"
                    ? .rejected(.permanent("schema.mismatch", "no")) : .published(id: "x", topic: "t", partition: 0, offset: 0)
            })
        let long = "\"" + String(repeating: "x", count: 300) + "\"\n"
        try scene.append("{\"n\":0}\nnot json\n" + long + "{\"n\":1}\n{\"n\":2}\n" + long + "{\"n\":3}\n")
        try await scene.run(scene.source(#", "max_line_bytes": 128, "batch_events": 2"#), until: 4)
        #expect(scene.numbers == [0, 1, 2, 3])
        #expect(scene.host.metrics.render().contains(#"martlet_file_source_rejected_total{source="logs"} 4"#))
    }

    @Test func textBecomesJSON() async throws {
        let scene = try Scene()
        try scene.append("say \"hi\"\tthere\n")
        try await scene.run(scene.source(#", "content": "text""#), until: 1)
        #expect(scene.intake.inputs[0].payload == #"{"line":"say \"hi\"\tthere"}"#)
    }

    @Test func aRefusingLogHoldsTheFile() async throws {
        let refusals = Atomic<Int>(0)
        let intake = RecordingIntake { _, _ in
            refusals.add(1, ordering: .relaxed).newValue <= 6
                ? .unavailable(.transient("log.full", "full"), retryAfter: .zero) : .published(id: "x", topic: "t", partition: 0, offset: 0)
        }
        let scene = try Scene(intake)
        try scene.append(scene.lines(0..<3))
        try await scene.run(scene.source(), until: 9)
        #expect(scene.numbers == [0, 1, 2, 0, 1, 2, 0, 1, 2])
    }

    @Test func aDamagedStateFileIsNotGuessedAt() async throws {
        let scene = try Scene()
        try FileManager.default.createDirectory(atPath: scene.path("data/sources"), withIntermediateDirectories: true)
        try "rubbish".write(toFile: scene.path("data/sources/logs.positions"), atomically: true, encoding: .utf8)
        let logged = Lines()
        let host = TestHost(dataDirectory: scene.path("data"), payloads: SimdjsonPayloadReader(), log: logged.append)
        let source = try host.make(FileSource.self, "{\"path\": \"\(scene.path("a.log"))\"}", name: "logs")
        try await source.open(intake: scene.intake)
        await waitUntil { logged.count(of: "file.bad_state") > 0 }
        await source.close()
    }

    @Test func readmeShowsAWorkingConfig() throws {
        let scene = try Scene()
        _ = try scene.host.make(FileSource.self, try ReadmeExample.json(of: "Files"), reserved: ["type", "publish"])
    }
}
