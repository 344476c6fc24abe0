import Martlet
import Testing

@testable import Pipelines

@Suite struct BodyDigestTests {
    /// FIPS 180-2, appendix B.1.
    @Test func theStandardsExample() {
        #expect(BodyDigest("abc").text == "sha256-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(BodyDigest("").text == "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func anotherBodyIsAnother() {
        let digest = BodyDigest("abc")
        #expect(digest.matches(BodyDigest("abc").text) && !digest.matches(BodyDigest("abd").text))
        #expect(digest.matches("3-1f-2f"), "a digest of an earlier release is not compared")
    }
}
