/// How many items of how many bytes a queue has, within limits for both. An empty queue takes one lot of any size, since
/// another place has bounded that.
package struct QueueFill: Sendable {
    package let countLimit: Int
    package let byteLimit: Int
    package private(set) var count = 0
    package private(set) var bytes = 0

    package init(countLimit: Int, byteLimit: Int) {
        self.countLimit = countLimit
        self.byteLimit = byteLimit
    }

    /// Counts items in. False, and nothing is counted, if they do not fit.
    package mutating func add(count added: Int = 1, bytes addedBytes: Int) -> Bool {
        let fits = count == 0 || (count + added <= countLimit && bytes + addedBytes <= byteLimit)
        if fits {
            count += added
            bytes += addedBytes
        }
        return fits
    }

    package mutating func remove(count removed: Int = 1, bytes removedBytes: Int) {
        count -= removed
        bytes -= removedBytes
    }

    /// All items have left.
    package mutating func empty() {
        count = 0
        bytes = 0
    }
}
