import Testing

/// Waits for a condition, at most a minute.
func waitUntil(
    _ condition: () async -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async {
    let deadline = ContinuousClock.now + .seconds(60)
    while await !condition() {
        if ContinuousClock.now > deadline {
            Issue.record("the condition did not come true in a minute", sourceLocation: sourceLocation)
            return
        }
        // A pause between looks, not a wait for anything.
        try? await Task.sleep(for: .milliseconds(1))
    }
}
