import Martlet
import Synchronization
import Testing

struct LogOutputTests {
    private func text(_ value: String) -> String {
        let written = Mutex("")
        let output = LogOutput(minimum: .info, format: .text) { line in written.withLock { $0 += line } }
        Logger(output: output).warning("refused", ("entry", value), ("so_far", "1"))
        return written.withLock { $0 }
    }

    @Test(arguments: ["a\n2026-01-01T00:00:00.000Z ERROR forged", "\u{1B}[2J", "a\rb", "a\u{0}"])
    func aFieldNeitherForgesALineNorTalksToTheTerminal(value: String) {
        let line = text(value)
        #expect(line.utf8.count { $0 < 0x20 } == 1 && line.hasSuffix(" so_far=1\n"), "\(line)")
    }

    @Test func aPlainFieldStandsAsItIs() {
        #expect(text("stream/1-0").hasSuffix(" entry=stream/1-0 so_far=1\n"))
        #expect(text("two words").hasSuffix(" entry=\"two words\" so_far=1\n"))
    }
}
