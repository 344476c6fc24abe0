/// The URLs of endpoints, as far as they can be checked without connecting.
enum EndpointURL {
    /// Why a URL is none; nil if it is good.
    static func problem(of url: String) -> String? {
        if let problem = problem(ofTemplate: url) { return problem }
        let isPlain = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        return isPlain ? nil : "a URL has no spaces, control characters or letters beyond ASCII; percent-encode them"
    }

    /// Why a template cannot make a URL: its scheme and host are not templates, so that a record cannot choose where it goes.
    static func problem(ofTemplate url: String) -> String? {
        let lowercase = url.prefix(8).lowercased()
        let length = lowercase == "https://" ? 8 : lowercase.hasPrefix("http://") ? 7 : 0
        guard length > 0 else { return "a URL begins with https:// or http://" }
        let authority = url.dropFirst(length).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty else { return "the URL has no host" }
        if authority.contains("${") { return "the host of a URL is no template: a record must not choose where it is sent to" }
        return nil
    }
}
