/// What the parser has learnt of a head so far.
struct RequestDraft {
    var method = HTTPMethod.get
    var minorVersion: UInt8 = 1
    var target = FieldRange.Part()
    var path = FieldRange.Part()
    var query: FieldRange.Part?
    /// The authority of a target in absolute form.
    var authority: FieldRange.Part?
    var host: FieldRange.Part?
    var contentLength: Int?
    var transferEncoding: FieldRange.Part?
    var hasClose = false
    var hasKeepAlive = false
    var expectsContinue = false

    /// RFC 9112 section 9.3: persistent unless told otherwise, in HTTP/1.0 the other way round.
    var wantsKeepAlive: Bool { !hasClose && (minorVersion == 1 || hasKeepAlive) }
}
