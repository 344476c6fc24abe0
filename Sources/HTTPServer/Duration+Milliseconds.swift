extension Duration {
    /// Milliseconds, rounded down; bounded so that adding it to a clock cannot overflow.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return min(max(seconds, 0), 1 << 40) * 1000 + max(attoseconds, 0) / 1_000_000_000_000_000
    }
}
