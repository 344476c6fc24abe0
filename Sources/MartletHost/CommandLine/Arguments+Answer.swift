import Martlet

extension Arguments {
    /// Prints what a host answered: as it is with `--json`, else as text.
    func show(_ answer: JSONNode, as text: (JSONNode) -> String) {
        Terminal.print(has("json") ? JSONWriter.text(answer, layout: .pretty) : text(answer))
    }
}
