import Glibc

/// The `martlet` executable.
@main
struct Martlet {
    static func main() async {
        // A client that goes away must not end the process.
        signal(SIGPIPE, SIG_IGN)
        OpenFileLimit.raise()
        let code = await CommandLineInterface.run(Array(CommandLine.arguments.dropFirst()))
        exit(code.rawValue)
    }
}
