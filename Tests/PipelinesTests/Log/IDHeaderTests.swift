import Martlet
import Testing

@testable import Pipelines

/// The engines' records look the same to a Kafka client.
struct IDHeaderTests {
    @Test func allEnginesKeepAnEventsIDInTheSameHeader() {
        #expect(EmbeddedEventLog.idHeader == Event.idHeader)
    }
}
