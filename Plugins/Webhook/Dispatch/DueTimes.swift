/// What is due when: a binary heap. What is not true any more stays in it; its user can tell.
struct DueTimes<Value> {
    private struct Entry {
        let dueAt: Int64
        let value: Value
    }

    private var heap: [Entry] = []

    var count: Int { heap.count }
    /// In the unit and by the clock of its user.
    var first: Int64? { heap.first?.dueAt }

    mutating func insert(_ dueAt: Int64, _ value: Value) {
        heap.append(Entry(dueAt: dueAt, value: value))
        var index = heap.count - 1
        while index > 0, heap[(index - 1) / 2].dueAt > heap[index].dueAt {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func popFirst(upTo now: Int64) -> (dueAt: Int64, value: Value)? {
        guard let first = heap.first, first.dueAt <= now, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return (first.dueAt, first.value)
    }

    private mutating func sink() {
        var index = 0
        while true {
            var least = index
            for child in [index * 2 + 1, index * 2 + 2] where child < heap.count && heap[child].dueAt < heap[least].dueAt { least = child }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
