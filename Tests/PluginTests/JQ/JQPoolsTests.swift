import Testing

@testable import JQPlugin

@Suite struct JQPoolsTests {
    @Test func equalProgramsShareAPoolAsLongAsSomebodyHasIt() throws {
        let program = ".shared_in_this_test"
        let first = try JQPools.pool(JQSource(program))
        #expect(try JQPools.pool(JQSource(program)) === first)
        #expect(try JQPools.pool(JQSource(program + " | .")) !== first)
        weak var gone: JQPool?
        do {
            let other = try JQPools.pool(JQSource(program + " | tostring"))
            gone = other
        }
        #expect(gone == nil)
    }
}
