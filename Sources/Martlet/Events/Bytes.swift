import Glibc

/// An immutable run of bytes, shared without copying.
///
/// A `Bytes` keeps its owner alive and never changes, so it may cross threads freely. Slices share the owner.
///
/// Invariant: at least ``paddingCount`` readable bytes follow the end of the owner's memory, because
/// vectorised readers (JSON) look past the end of what they are given.
public struct Bytes: @unchecked Sendable {
    // Unchecked: the memory is immutable from the moment a `Bytes` exists, and `owner` keeps it alive.
    @usableFromInline let owner: AnyObject
    @usableFromInline let start: UnsafeRawPointer

    /// How many bytes there are.
    public let count: Int

    /// Readable bytes that follow the end of every owner's memory.
    public static let paddingCount = 64

    /// No bytes.
    public static let empty = Bytes(copying: UnsafeRawBufferPointer(start: nil, count: 0))

    /// Wraps memory owned by `owner`, which must keep it unchanged, alive, and followed by
    /// ``paddingCount`` readable bytes for as long as the owner lives.
    @inlinable
    public init(unsafeOwner owner: AnyObject, start: UnsafeRawPointer, count: Int) {
        self.owner = owner
        self.start = start
        self.count = count
    }

    /// Copies `source`.
    public init(copying source: UnsafeRawBufferPointer) {
        let storage = ByteStorage.make(capacity: source.count)
        if let base = source.baseAddress {
            storage.memory.copyMemory(from: base, byteCount: source.count)
        }
        self.init(unsafeOwner: storage, start: UnsafeRawPointer(storage.memory), count: source.count)
    }

    /// Fills fresh memory of `capacity` bytes through `fill`, which returns how many bytes it wrote.
    public init(capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows {
        let storage = ByteStorage.make(capacity: capacity)
        let written = try fill(UnsafeMutableRawBufferPointer(start: storage.memory, count: capacity))
        precondition(written >= 0 && written <= capacity, "wrote \(written) bytes into \(capacity)")
        self.init(unsafeOwner: storage, start: UnsafeRawPointer(storage.memory), count: written)
    }

    /// Copies an array.
    public init(_ array: [UInt8]) {
        self = array.withUnsafeBytes { Bytes(copying: $0) }
    }

    /// The UTF-8 of a string.
    public init(_ string: some StringProtocol) {
        var copy = String(string)
        self = copy.withUTF8 { Bytes(copying: UnsafeRawBufferPointer($0)) }
    }

    /// Whether there are none.
    @inlinable public var isEmpty: Bool { count == 0 }

    /// Reads the bytes in place.
    @inlinable
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { extendLifetime(owner) }
        return try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// The byte at `index`.
    @inlinable
    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "byte \(index) of \(count)")
        return withUnsafeBytes { $0[index] }
    }

    /// A part of these bytes, sharing the same memory.
    @inlinable
    public func slice(_ range: Range<Int>) -> Bytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "slice \(range) of \(count) bytes")
        return Bytes(unsafeOwner: owner, start: start + range.lowerBound, count: range.count)
    }

    /// The bytes as text; invalid UTF-8 becomes U+FFFD.
    public var string: String {
        withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}

extension Bytes: Hashable {
    public static func == (left: Bytes, right: Bytes) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeBytes { leftBytes in
            right.withUnsafeBytes { rightBytes in
                guard let leftStart = leftBytes.baseAddress, let rightStart = rightBytes.baseAddress else { return true }
                return memcmp(leftStart, rightStart, leftBytes.count) == 0
            }
        }
    }

    public func hash(into hasher: inout Hasher) {
        withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension Bytes: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) {
        self.init(value)
    }
}

extension Bytes: CustomStringConvertible {
    public var description: String { string }
}
