import Testing

/// Everything here runs the built binary with real files and sockets, one suite after the other: the machine is shared.
@Suite(.serialized, .timeLimit(.minutes(10))) enum EndToEnd {}
