import Glibc
import Synchronization

/// Makes event ids: UUID version 7 (RFC 9562), ordered by time, since ordered ids keep index inserts cheap.
public enum EventID {
    private struct State {
        var lastMilliseconds: UInt64 = 0
        var counter: UInt64 = 0
        var random = RandomWords()
    }

    private static let state = Mutex(State())
    private static let hexDigits = [UInt8]("0123456789abcdef".utf8)

    /// A new id, 36 characters; ids made by one process ascend.
    public static func generate(at milliseconds: Int64 = Timestamp.now()) -> Bytes {
        let (high, low) = state.withLock { state in next(&state, UInt64(max(0, milliseconds))) }
        return Bytes(capacity: 36) { target in
            write(high, low, into: target)
            return 36
        }
    }

    /// 12 bits of counter follow the milliseconds (RFC 9562, 6.2, method 1), so that ids of one millisecond ascend.
    private static func next(_ state: inout State, _ now: UInt64) -> (UInt64, UInt64) {
        if now > state.lastMilliseconds {
            state.lastMilliseconds = now
            state.counter = state.random.next() & 0x3FF
        } else if state.counter == 0xFFF {
            state.lastMilliseconds += 1
            state.counter = state.random.next() & 0x3FF
        } else {
            state.counter += 1
        }
        let high = state.lastMilliseconds << 16 | 0x7000 | state.counter
        let low = state.random.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return (high, low)
    }

    private static func write(_ high: UInt64, _ low: UInt64, into target: UnsafeMutableRawBufferPointer) {
        var position = 0
        for nibble in 0..<32 {
            if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                target[position] = UInt8(ascii: "-")
                position += 1
            }
            let word = nibble < 16 ? high : low
            let shift = UInt64(60 - (nibble & 15) * 4)
            target[position] = hexDigits[Int(word >> shift & 15)]
            position += 1
        }
    }
}
