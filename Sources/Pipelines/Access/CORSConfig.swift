package import Martlet

/// The block `cors` of `host`.
package struct CORSConfig: ModuleConfig {
    package let origins: [String]
    package let credentials: Bool
    package let maxAgeSeconds: Int
    /// Where `origins` stands.
    package let place: ConfigPlace

    package init(from fields: inout ConfigFields) {
        place = fields.place(of: "origins")
        origins = fields.required(
            "origins", "Pages that may use the configured paths: `https://host` or `https://host:port`; \"*\" stands for all, "
                + "where a path has no `auth`, and for reading only.",
            example: ["https://app.example.com"])
        credentials = fields.optional(
            "credentials", default: true, "Whether those pages may send cookies along.")
        maxAgeSeconds = fields.optional(
            "max_age_seconds", default: 600, in: 0...86_400, "How long a browser may remember the answer to its preflight.")
        for origin in origins where origin != "*" && !Self.isOrigin(origin) {
            fields.problem(
                at: "origins", "must be `scheme://host` or `scheme://host:port`, without a path", found: JSONText.quoted(origin))
        }
    }

    private static func isOrigin(_ text: String) -> Bool {
        guard let range = text.firstRange(of: "://") else { return false }
        let host = text[range.upperBound...]
        return !text[..<range.lowerBound].isEmpty && !host.isEmpty
            && host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "*") }
    }
}
