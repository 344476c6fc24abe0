import Testing

/// Waits for a condition, at most ten seconds.
func waitUntil(
    _ condition: () async -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async {
    let deadline = ContinuousClock.now + .seconds(10)
    while await !condition() {
        if ContinuousClock.now > deadline {
            Issue.record("the condition did not come true in ten seconds", sourceLocation: sourceLocation)
            return
        }
        // A pause between looks, not a wait for anything.
        try? await Task.sleep(for: .milliseconds(1))
    }
}
