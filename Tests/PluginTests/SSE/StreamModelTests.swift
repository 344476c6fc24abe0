import Testing

/// Whatever the bus loses, however often clients leave and hosts repeat themselves: a client that reconnects gets every
/// event of its key exactly once, in the order of each partition.
@Suite struct StreamModelTests {
    @Test(arguments: Array(UInt64(1)...30))
    func everyClientSeesEverythingOnce(seed: UInt64) throws {
        var model = try StreamModel(seed: seed)
        for _ in 0..<2_500 { try model.step() }
        try model.settle()
        #expect(model.isIdle, "seed \(seed): the model did not come to rest")
        for client in model.clients {
            let all = model.published[client.key] ?? []
            let expected = client.start == "earliest" ? all : Array(all[client.publishedBefore...])
            check(client, expected, earlier: Set(all.map(\.data)), seed)
            #expect(client.gaps == 0, "seed \(seed): \(client.key) from \(client.start) had a gap")
        }
    }

    @Test(arguments: Array(UInt64(1_001)...1_020))
    func whatRetentionTookIsToldAndTheRestComesOnce(seed: UInt64) throws {
        var model = try StreamModel(seed: seed, hasRetention: true)
        for _ in 0..<2_500 { try model.step() }
        try model.settle()
        #expect(model.isIdle, "seed \(seed): the model did not come to rest")
        for client in model.clients {
            let all = model.published[client.key] ?? []
            let expected = client.start == "earliest" ? all : Array(all[client.publishedBefore...])
            let received = Set(client.received)
            #expect(received.count == client.received.count, "seed \(seed): \(client.key) got something twice")
            let missing = expected.filter { !received.contains($0.data) }
            let started = client.start == "latest"
            #expect(missing.isEmpty || client.gaps > 0 || !started, "seed \(seed): \(client.key) misses \(missing), untold")
            checkOrder(client, all, seed)
        }
    }

    private func check(
        _ client: ModelClient, _ expected: [(partition: Int32, data: String)], earlier: Set<String>, _ seed: UInt64
    ) {
        let received = Set(client.received)
        #expect(
            received.count == client.received.count,
            "seed \(seed): \(client.key) from \(client.start) got something twice: \(client.received)")
        let missing = expected.filter { !received.contains($0.data) }
        #expect(missing.isEmpty, "seed \(seed): \(client.key) from \(client.start) misses \(missing)")
        #expect(received.isSubset(of: earlier), "seed \(seed): \(client.key) got what is not its own")
        checkOrder(client, expected, seed)
    }

    private func checkOrder(_ client: ModelClient, _ all: [(partition: Int32, data: String)], _ seed: UInt64) {
        for partition in Set(all.map(\.partition)) {
            let order = all.filter { $0.partition == partition }.map(\.data)
            let wanted = Set(order)
            let seen = client.received.filter { wanted.contains($0) }
            let known = Set(seen)
            #expect(seen == order.filter { known.contains($0) }, "seed \(seed): \(client.key) out of order")
        }
    }
}
