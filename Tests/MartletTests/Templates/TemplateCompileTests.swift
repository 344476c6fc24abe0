import Martlet
import Testing

@Suite struct TemplateCompileTests {
    private let all = Set(TemplateVariableKind.allCases)

    private func refusal(_ source: String, allowing: Set<TemplateVariableKind> = [.record]) -> TemplateProblem? {
        do throws(TemplateProblem) {
            _ = try Template.compile(ConfigText(stringLiteral: source), allowing: allowing)
            return nil
        } catch {
            return error
        }
    }

    @Test func textWithoutDollarIsConstant() throws {
        #expect(try Template.compile("liked your post", allowing: []).constant == "liked your post")
        #expect(try Template.compile("", allowing: []).constant == "")
        #expect(try Template.compile("$5 and $${/x} $", allowing: []).constant == "$5 and ${/x} $")
    }

    @Test func partsKeepTheirOrder() throws {
        let template = try Template.compile("${/actor/name} liked ${@key}!", allowing: all)
        let pointer = try #require(JSONPointer("/actor/name"))
        #expect(
            template.parts == [
                .value(.pointer(pointer), default: nil), .literal(" liked "), .value(.variable(.key), default: nil),
                .literal("!"),
            ])
        #expect(template.whole == nil)
        #expect(template.pointers == [pointer])
    }

    @Test(arguments: [
        ("${@id}", TemplateVariable.id), ("${@key}", .key), ("${@topic}", .topic), ("${@partition}", .partition),
        ("${@offset}", .offset), ("${@timestamp}", .timestamp), ("${@header.trace-id}", .header("trace-id")),
        ("${@header.a.b}", .header("a.b")), ("${@path.user}", .path("user")), ("${@query.limit}", .query("limit")),
        ("${@claim.sub}", .claim("sub")), ("${@saved.post_owner}", .saved("post_owner")),
    ])
    func everyVariableIsKnown(source: String, variable: TemplateVariable) throws {
        let template = try Template.compile(ConfigText(stringLiteral: source), allowing: all)
        #expect(template.whole == .variable(variable))
        #expect("${\(variable)}" == source)
    }

    @Test func defaultsKeepTheTypeOfJSON() throws {
        func fallback(_ source: String) throws -> TemplateDefault? {
            let template = try Template.compile(ConfigText(stringLiteral: source), allowing: [])
            if case .value(_, let fallback) = template.parts[0] { return fallback }
            return nil
        }
        #expect(try fallback("${/x:-0}")?.value == .integer(0))
        #expect(try fallback("${/x:-1.5}")?.value == .double(1.5))
        #expect(try fallback("${/x:-null}")?.value == .null)
        #expect(try fallback("${/x:-true}")?.value == .bool(true))
        #expect(try fallback("${/x:-\"0\"}")?.value == .text("0"))
        #expect(try fallback("${/x:-\"0\"}")?.text == "0")
        #expect(try fallback("${/x:-[1]}")?.value == .json("[1]"))
        #expect(try fallback("${/x:-}")?.value == .text(""))
        #expect(try fallback("${/x:-a:-b}")?.value == .text("a:-b"))
        #expect(try fallback("${/x}") == nil)
    }

    @Test func wholePayloadIsTheEmptyPointer() throws {
        let template = try Template.compile("${@payload}", allowing: [])
        #expect(template.whole == .wholePayload)
        #expect(template.pointers.map(\.text) == [""])
        #expect(template.expressions[0].description == "@payload")
    }

    static let recordChoices =
        "`${/field}`, `${@payload}`, `${@id}`, `${@key}`, `${@topic}`, `${@partition}`, `${@offset}`, `${@timestamp}`"

    @Test(arguments: [
        ("a ${@kye}", "template.unknown_variable",
            "`${@kye}` is no variable (did you mean `${@key}`?); valid here: \(recordChoices)"),
        ("${@nothing.like.it}", "template.unknown_variable",
            "`${@nothing.like.it}` is no variable; valid here: \(recordChoices)"),
        ("${@id.x}", "template.unknown_variable",
            "`${@id.x}` is no variable (did you mean `${@id}`?); valid here: \(recordChoices)"),
        ("${@path.user}", "template.not_available",
            "`${@path.user}` has no value here; valid here: \(recordChoices)"),
        ("${@header}", "template.syntax", "`${@header}` names no header; expected `${@header.NAME}`"),
        ("${actor}", "template.syntax",
            "`${actor}` is no template (did you mean `${/actor}`?); valid here: \(recordChoices); write `$${` for a literal `${`"),
        ("${HOME}", "template.syntax",
            "`${HOME}` is no template (did you mean `${env:HOME}`?); valid here: \(recordChoices); write `$${` for a literal `${`"),
        ("${}", "template.syntax",
            "`${}` is no template; valid here: \(recordChoices); write `$${` for a literal `${`"),
        ("${/a~2}", "template.syntax",
            "`${/a~2}` is no JSON Pointer: `~` must be followed by 0 (a tilde) or 1 (a slash)"),
        ("x ${/actor", "template.syntax", "`${/actor` has no closing `}`; write `$${` for a literal `${`"),
    ])
    func problemsSayWhatIsRight(source: String, code: String, message: String) throws {
        let problem = try #require(refusal(source))
        #expect(problem.code == code)
        #expect(problem.message == message)
    }

    @Test func groupsAreSuggestedWithTheirName() throws {
        let problem = try #require(refusal("${@heder.x}", allowing: [.header, .query]))
        #expect(
            problem.message
                == "`${@heder.x}` is no variable (did you mean `${@header.NAME}`?); valid here: `${/field}`, `${@payload}`, `${@header.NAME}`, `${@query.NAME}`"
        )
    }

    @Test func problemPointsAtItsExpression() throws {
        #expect(try #require(refusal("ab ${@nothing}")).offset == 3)
    }
}
