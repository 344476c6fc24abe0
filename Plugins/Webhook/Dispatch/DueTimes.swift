/// When heads of keys are due: a binary heap. An entry that is no longer true is told by its id.
struct DueTimes {
    private struct Entry {
        let dueAt: Int64
        let key: LaneTable.LaneKey
        let id: Int64
    }

    private var heap: [Entry] = []

    /// Milliseconds since the epoch.
    var first: Int64? { heap.first?.dueAt }

    mutating func insert(_ dueAt: Int64, _ key: LaneTable.LaneKey, _ id: Int64) {
        heap.append(Entry(dueAt: dueAt, key: key, id: id))
        var index = heap.count - 1
        while index > 0, heap[(index - 1) / 2].dueAt > heap[index].dueAt {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func popFirst(upTo now: Int64) -> (key: LaneTable.LaneKey, id: Int64)? {
        guard let first = heap.first, first.dueAt <= now, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return (first.key, first.id)
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
