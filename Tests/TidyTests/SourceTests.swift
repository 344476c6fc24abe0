import Foundation
import Testing

/// How the code looks, as far as a machine can tell.
@Suite struct SourceTests {
    private static let fileLines = 400
    private static let functionLines = 70

    @Test func filesAreShort() throws {
        let long = try Repository.product.filter { $0.lines.count > Self.fileLines }
        #expect(long.isEmpty, "\(long.map { "\($0.path): \($0.lines.count) lines" })")
    }

    @Test func functionsAreShort() throws {
        var long: [String] = []
        for file in try Repository.product {
            var start: (line: Int, indent: String)?
            for (number, line) in file.lines.enumerated() {
                let text = line.trimmingCharacters(in: .whitespaces)
                let indent = String(line.prefix { $0 == " " })
                if start == nil, !text.hasPrefix("//"), text.hasSuffix("{"), text.contains("func ") || text.contains("init(") {
                    start = (number, indent)
                } else if let opened = start, line == opened.indent + "}" {
                    if number - opened.line > Self.functionLines {
                        long.append("\(file.path):\(opened.line + 1): \(number - opened.line) lines")
                    }
                    start = nil
                }
            }
        }
        #expect(long.isEmpty, "\(long.joined(separator: "\n"))")
    }

    @Test(arguments: ["try!", "as!", "fatalError(", "TODO", "FIXME", "XXX:"])
    func theProductHasNo(_ word: String) throws {
        let places = try places(of: word)
        #expect(places.isEmpty, "\(places.joined(separator: "\n"))")
    }

    @Test func onlyTheTerminalPrints() throws {
        let places = try places(of: "print(").filter { !$0.contains("Terminal") }
        #expect(places.isEmpty, "\(places.joined(separator: "\n"))")
    }

    /// The helpers that wait for a condition with a deadline, in files named `Support`, pause between looks.
    @Test func testsDoNotSleep() throws {
        let sleeping = try Repository.files(under: "Tests").filter { !$0.path.hasPrefix("Tests/TidyTests") && !$0.path.contains("Support") }.flatMap { file in
            file.lines.enumerated().filter { _, line in
                ["Thread.sleep", "usleep(", " sleep("].contains { line.contains($0) }
            }.map { "\(file.path):\($0.offset + 1)" }
        }
        #expect(sleeping.isEmpty, "\(sleeping)")
    }

    /// A word in code, not in comments or strings that are comments' examples.
    private func places(of word: String) throws -> [String] {
        try Repository.product.flatMap { file in
            file.lines.enumerated().filter { _, line in
                let text = line.trimmingCharacters(in: .whitespaces)
                guard !text.hasPrefix("//"), let range = text.range(of: word) else { return false }
                // `fingerprint(` is not `print(`, `.text.print(` is somebody's method.
                let before = range.lowerBound == text.startIndex ? nil : text[text.index(before: range.lowerBound)]
                return before.map { !$0.isLetter && !$0.isNumber && $0 != "_" } ?? true
            }.map { "\(file.path):\($0.offset + 1): \($0.element.trimmingCharacters(in: .whitespaces))" }
        }
    }

    /// Declarations that a plugin author sees have a doc comment. A function that implements a protocol's requirement, or
    /// is an empty default for it, is documented there.
    @Test func thePublicAPIIsDocumented() throws {
        let files = try Repository.files(under: "Sources/Martlet") + Repository.files(under: "Sources/MartletTesting")
        let requirements = Set(files.flatMap { $0.lines.compactMap(requirement) } + ["hash"])
        var missing: [String] = []
        for file in files {
            for (number, line) in file.lines.enumerated() {
                let text = line.trimmingCharacters(in: .whitespaces)
                guard text.hasPrefix("public "), isDeclaration(text) else { continue }
                if let name = functionName(text), requirements.contains(name) || name.hasPrefix("==") || name.hasPrefix("<") {
                    continue
                }
                var above = number - 1
                while above >= 0, file.lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("@") { above -= 1 }
                if above < 0 || !file.lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("///") {
                    missing.append("\(file.path):\(number + 1): \(text)")
                }
            }
        }
        #expect(missing.isEmpty, "\(missing.joined(separator: "\n"))")
    }

    private func isDeclaration(_ text: String) -> Bool {
        ["func ", "struct ", "class ", "protocol ", "enum "].contains { text.contains($0) }
    }

    /// The function that a line of a protocol asks for: requirements carry no access level.
    private func requirement(_ line: String) -> String? {
        let text = line.trimmingCharacters(in: .whitespaces)
        guard text.hasPrefix("func ") || text.hasPrefix("static func ") || text.hasPrefix("mutating func ") else { return nil }
        return text.hasSuffix("{") ? nil : functionName(text)
    }

    private func functionName(_ text: String) -> String? {
        guard let range = text.range(of: "func ") else { return nil }
        return String(text[range.upperBound...].prefix { $0 != "(" && $0 != " " && $0 != "<" || $0 == "=" })
    }
}
