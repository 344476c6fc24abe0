import Testing

@testable import HTTPServer

/// The masks of `ByteSet` against the characters that the RFCs list.
struct ByteSetTests {
    private static let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    private static let pathMarks = "-._~!$&'()*+,;=:@/"

    @Test(arguments: [
        (ByteSet.token, "!#$%&'*+-.^_`|~"),
        (ByteSet.path, pathMarks),
        (ByteSet.query, pathMarks + "?[]{}|\\^`"),
        (ByteSet.host, "-._~!$&'()*+,;="),
    ])
    func holdsExactlyItsCharacters(set: ByteSet, marks: String) {
        let expected = Set((ByteSetTests.alphanumeric + marks).utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(set.contains(byte) == expected.contains(byte), "byte \(byte)")
        }
    }
}
