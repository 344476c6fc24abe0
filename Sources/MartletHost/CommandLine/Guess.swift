import Martlet

/// The nearest name to one that was mistyped.
enum Guess {
    static func nearest(to name: String, among names: [String]) -> String? {
        Suggestion.nearest(to: name, among: names)
    }
}
