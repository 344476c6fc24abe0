import HTTPServer

// The server's types under names of their own, since the SDK has protocols of the same names. (The server's module and
// its main class share one name, so `HTTPServer.Route` would look inside the class.)
typealias WireExchange = HTTPExchange
typealias WireStream = HTTPStream
typealias WireRoute = Route
typealias WireProblem = ProblemDetails
