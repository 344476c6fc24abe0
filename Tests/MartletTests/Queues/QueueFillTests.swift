import Martlet
import Testing

/// What fits into a queue.
struct QueueFillTests {
    @Test func bothLimitsHold() {
        var fill = QueueFill(countLimit: 3, byteLimit: 100)
        let taken = [(2, 60), (1, 41), (2, 1), (1, 40)].map { count, bytes in fill.add(count: count, bytes: bytes) }
        #expect(taken == [true, false, false, true])
        #expect((fill.count, fill.bytes) == (3, 100))
        fill.remove(count: 2, bytes: 60)
        #expect((fill.count, fill.bytes) == (1, 40))
        fill.empty()
        #expect((fill.count, fill.bytes) == (0, 0))
    }

    @Test func anEmptyQueueTakesOneLotOfAnySize() {
        var fill = QueueFill(countLimit: 3, byteLimit: 100)
        let taken = [(5, 1_000), (1, 0)].map { count, bytes in fill.add(count: count, bytes: bytes) }
        #expect(taken == [true, false])
    }
}
