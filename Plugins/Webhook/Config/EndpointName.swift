/// The names of endpoints: they stand in paths of the admin API.
enum EndpointName {
    /// Why a name is none; nil if it is good.
    static func problem(of name: String) -> String? {
        let isGood = !name.isEmpty && name.utf8.count <= 128
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        return isGood ? nil : "the name of an endpoint has 1 to 128 of the characters a-z A-Z 0-9 . _ -, found `\(name.prefix(140))`"
    }
}
