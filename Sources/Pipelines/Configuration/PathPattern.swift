import Martlet

/// Rules for the paths of routes.
enum PathPattern {
    /// What is wrong with a path; nil if nothing is.
    static func problem(in path: String) -> String? {
        guard path.hasPrefix("/") else { return "a path starts with `/`" }
        var names: Set<Substring> = []
        for segment in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            if segment.isEmpty, path != "/" { return "a path has no empty segment" }
            guard segment.contains("{") || segment.contains("}") else {
                if segment.contains(where: { $0 == "?" || $0 == "#" || $0 == " " }) {
                    return "a path has no query, fragment or space"
                }
                continue
            }
            let name = segment.dropFirst().dropLast()
            guard segment.hasPrefix("{"), segment.hasSuffix("}"), !name.isEmpty, !name.contains("{"), !name.contains("}") else {
                return "a parameter takes a whole segment, as in `/users/{user}/likes`"
            }
            guard names.insert(name).inserted else { return "the parameter `{\(name)}` stands twice in one path" }
        }
        return nil
    }

    /// Whether some request could go to both, neither being the more specific one.
    static func collide(_ first: Route, _ second: Route) -> Bool {
        guard first.method == second.method else { return false }
        return shape(first.path) == shape(second.path)
    }

    /// The path with its parameters' names taken out.
    private static func shape(_ path: String) -> [String] {
        path.split(separator: "/", omittingEmptySubsequences: false).map { $0.hasPrefix("{") ? "{}" : String($0) }
    }
}
