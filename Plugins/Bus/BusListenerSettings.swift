import Martlet

/// What the listener needs of the config, checked.
struct BusListenerSettings: Sendable {
    let address: BusAddress
    let password: Bytes?
    let maxConnections: Int
    let maxMessageBytes: Int
    let maxQueuedBytes: Int

    /// Nil, with a problem reported, if the config is wrong.
    init?(_ listen: ConfigText, _ config: MemoryBusConfig, _ context: ModuleContext) {
        guard let address = BusAddress(parsing: listen.plain) else {
            context.problem(at: listen.place, "must be a numeric address and a port, such as 127.0.0.1:6380 or [::1]:6380")
            return nil
        }
        if let password = config.password, password.plain.isEmpty {
            context.problem(at: password.place, "must not be empty; leave it out for none")
            return nil
        }
        if !address.isLoopback, config.password == nil {
            context.problem(
                at: listen.place,
                "\(address) can be reached from outside this machine, so clients need a password; "
                    + "set \"password\": \"${env:BUS_PASSWORD}\" beside it")
            return nil
        }
        self.address = address
        password = config.password.map { Bytes($0.plain) }
        maxConnections = config.maxConnections
        maxMessageBytes = config.maxMessageBytes
        maxQueuedBytes = config.maxQueuedBytes
    }
}
