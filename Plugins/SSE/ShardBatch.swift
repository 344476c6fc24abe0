/// One shard's part of a batch: the items that concern its connections and, for the rest, how far the stream has come.
struct ShardBatch {
    private(set) var items: [LiveItem] = []
    /// Whether there is more than places in it, so that the shard must see it now.
    private(set) var isUrgent = false
    /// Messages of others went by up to here; not among the items yet.
    private var passed: (slot: StreamSlot, place: StreamPlace)?

    /// - Parameter slot: where the item itself moves the shard, if it does.
    mutating func append(_ item: LiveItem, of slot: StreamSlot? = nil) {
        if passed?.slot == slot { passed = nil }
        finish()
        items.append(item)
        isUrgent = true
    }

    mutating func pass(_ slot: StreamSlot, _ place: StreamPlace) {
        if passed?.slot != slot { finish() }
        passed = (slot, place)
    }

    mutating func finish() {
        if let passed { items.append(.advance(passed.slot, passed.place)) }
        passed = nil
    }
}
