import CLinux

/// Finds the numbers behind a marker in text that comes in pieces.
enum MarkerScanner {
    /// Calls `found` with each number that is there to its end.
    /// - Returns: where the part begins that has to be seen again, in front of the next piece.
    @inline(__always)
    static func scan(_ text: UnsafeRawBufferPointer, for marker: [UInt8], _ found: (Int) -> Void) -> Int {
        guard let base = text.baseAddress else { return 0 }
        var place = 0
        while let hit = memmem(base + place, text.count - place, marker, marker.count) {
            let start = UnsafeRawPointer(hit) - base
            var end = start + marker.count
            while end < text.count, text[end] >= 0x30, text[end] <= 0x39 { end += 1 }
            if end == text.count { return max(start, text.count - StreamConnection.carryMax) }
            found(ResponseScanner.number(text, from: start + marker.count))
            place = end
        }
        return max(place, text.count - (marker.count - 1))
    }
}
