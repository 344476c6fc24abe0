/// What a request says that its body is.
enum MediaType: Equatable {
    case json
    /// One JSON value a line.
    case lines
    case other

    /// - Parameter field: the value of `Content-Type`, parameters and all.
    init(_ field: String?) {
        guard let field else {
            self = .other
            return
        }
        // The common case without a copy.
        if field == "application/json" {
            self = .json
            return
        }
        var name = field.prefix { $0 != ";" }.lowercased()
        while let last = name.last, last == " " || last == "\t" { name.removeLast() }
        switch name {
        case "application/json": self = .json
        case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines": self = .lines
        default: self = name.hasPrefix("application/") && name.hasSuffix("+json") ? .json : .other
        }
    }
}
