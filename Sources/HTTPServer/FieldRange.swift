/// Where a header field lies in the bytes of its request's head. A head is shorter than 64 KiB.
struct FieldRange {
    struct Part {
        var offset: UInt16 = 0
        var length: UInt16 = 0

        init() {}

        init(_ start: Int, _ end: Int) {
            offset = UInt16(start)
            length = UInt16(end - start)
        }

        var start: Int { Int(offset) }
        var count: Int { Int(length) }
        var end: Int { start + count }
    }

    var name: Part
    var value: Part
}
