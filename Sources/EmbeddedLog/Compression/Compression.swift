/// How the records of a batch are compressed: bits 0 to 2 of the batch's attributes, with Kafka's numbers and encodings.
/// The batch's header is never compressed.
package enum Compression: String, Sendable, CaseIterable {
    case none
    /// LZ4 frames of independent 64 KiB blocks.
    case lz4
    /// Zstandard frames.
    case zstd

    /// The value in the attributes.
    var code: Int16 {
        switch self {
        case .none: 0
        case .lz4: 3
        case .zstd: 4
        }
    }

    /// `nil` for Kafka's gzip (1) and snappy (2), and for what is not defined.
    init?(code: Int16) {
        guard let found = Compression.allCases.first(where: { $0.code == code }) else { return nil }
        self = found
    }
}
