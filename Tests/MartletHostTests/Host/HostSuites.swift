import Testing

/// Everything that runs the built binary, one suite after the other: the machine is shared.
@Suite(.serialized, .timeLimit(.minutes(5))) enum HostSuites {}
