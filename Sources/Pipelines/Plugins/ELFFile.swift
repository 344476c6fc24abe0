import Glibc

/// What must be known of an ELF file (System V ABI, 64-bit little-endian) before it is loaded.
struct ELFFile: ~Copyable {
    /// A defined function or object of the dynamic symbol table.
    struct Symbol {
        let address: UInt64
        let size: UInt64
        /// Where its name begins in the file, up to a zero byte.
        let name: Int
    }

    enum Failure: Error {
        case unreadable(String)
        /// No ELF file, or a damaged one.
        case notELF
    }

    /// `e_type` of a shared object.
    static let sharedObject: UInt16 = 3
    private static let dynamicSymbols: UInt32 = 11
    private static let symbolBytes = 24

    let bytes: UnsafeRawBufferPointer

    /// Maps a file, privately and read-only.
    init(path: String) throws(Failure) {
        bytes = try Self.map(path)
    }

    private static func map(_ path: String) throws(Failure) -> UnsafeRawBufferPointer {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(String(cString: strerror(errno))) }
        defer { Glibc.close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("it is no regular file") }
        let count = Int(status.st_size)
        guard count >= 64 else { throw .notELF }
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw .unreadable(String(cString: strerror(errno)))
        }
        let bytes = UnsafeRawBufferPointer(start: base, count: count)
        // 0x7F "ELF", 64-bit, little-endian.
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]) else {
            munmap(base, count)
            throw .notELF
        }
        return bytes
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }

    var type: UInt16 { integer(at: 16) ?? 0 }
    var machine: UInt16 { integer(at: 18) ?? 0 }

    private static let loadSegment: UInt32 = 1

    /// Whether all that the headers speak of is in the file: mapping one that was cut short would end the process.
    var isComplete: Bool {
        guard let programs: UInt64 = integer(at: 32), let sections: UInt64 = integer(at: 40), let programSize: UInt16 = integer(at: 54),
            let programCount: UInt16 = integer(at: 56), let sectionSize: UInt16 = integer(at: 58), let sectionCount: UInt16 = integer(at: 60),
            ends(programs, UInt64(programSize) * UInt64(programCount)), ends(sections, UInt64(sectionSize) * UInt64(sectionCount))
        else { return false }
        for index in 0..<Int(programCount) {
            let header = Int(programs) + index * Int(programSize)
            guard let kind: UInt32 = integer(at: header), let offset: UInt64 = integer(at: header + 8), let length: UInt64 = integer(at: header + 32)
            else { return false }
            if kind == Self.loadSegment, !ends(offset, length) { return false }
        }
        return true
    }

    private func ends(_ offset: UInt64, _ length: UInt64) -> Bool {
        let (end, isTooLong) = offset.addingReportingOverflow(length)
        return !isTooLong && end <= UInt64(bytes.count)
    }

    /// The machine's name for people.
    static func name(ofMachine machine: UInt16) -> String {
        switch machine {
        case 0x3E: "x86-64"
        case 0xB7: "arm64"
        case 0xF3: "RISC-V"
        default: "machine \(machine)"
        }
    }

    /// The defined symbols of the dynamic table, in the file's order; empty if there is no table, or a damaged one.
    var symbols: [Symbol] {
        guard let sections: UInt64 = integer(at: 40), let size: UInt16 = integer(at: 58), let count: UInt16 = integer(at: 60)
        else { return [] }
        var symbols: [Symbol] = []
        for index in 0..<Int(count) {
            guard let header = place(sections, index * Int(size)), integer(at: header + 4) == Self.dynamicSymbols,
                let offset: UInt64 = integer(at: header + 24), let length: UInt64 = integer(at: header + 32),
                let link: UInt32 = integer(at: header + 40), let strings = place(sections, Int(link) * Int(size)),
                let names: UInt64 = integer(at: strings + 24), let table = place(offset, 0), length <= UInt64(bytes.count)
            else { continue }
            for entry in stride(from: table, to: table + Int(length), by: Self.symbolBytes) {
                guard let name: UInt32 = integer(at: entry), let section: UInt16 = integer(at: entry + 6), section != 0,
                    let address: UInt64 = integer(at: entry + 8), let bytes: UInt64 = integer(at: entry + 16),
                    let start = place(names, Int(name))
                else { continue }
                symbols.append(Symbol(address: address, size: bytes, name: start))
            }
        }
        return symbols
    }

    /// The bytes from an offset up to a zero byte.
    func text(at offset: Int) -> Slice<UnsafeRawBufferPointer> {
        let rest = bytes[offset...]
        return rest[..<(rest.firstIndex(of: 0) ?? rest.endIndex)]
    }

    private func place(_ base: UInt64, _ offset: Int) -> Int? {
        guard base < UInt64(bytes.count), offset >= 0, Int(base) + offset < bytes.count else { return nil }
        return Int(base) + offset
    }

    private func integer<Value: FixedWidthInteger>(at offset: Int) -> Value? {
        guard offset >= 0, offset + MemoryLayout<Value>.size <= bytes.count else { return nil }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
}
