/// When endpoints are to be looked at again, one time each, in milliseconds of the steady clock. It costs the logarithm of
/// how many there are, since a turn of the dispatcher deals with a few of thousands.
struct LookTimes {
    private var times: [String: Int64] = [:]
    /// Has each of `times`, and others that were replaced since.
    private var due = DueTimes<String>()

    /// Not after the first look; before it if that one was put off.
    var first: Int64? { due.first }

    subscript(_ name: String) -> Int64? {
        get { times[name] }
        set {
            guard times[name] != newValue else { return }
            times[name] = newValue
            if let newValue { due.insert(newValue, name) }
            if due.count > 2 * times.count + 64 { dropReplaced() }
        }
    }

    /// An endpoint whose look is due; its time is forgotten.
    mutating func popFirst(upTo now: Int64) -> String? {
        while let (dueAt, name) = due.popFirst(upTo: now) {
            if times[name] == dueAt {
                times[name] = nil
                return name
            }
        }
        return nil
    }

    private mutating func dropReplaced() {
        due = DueTimes()
        for (name, time) in times { due.insert(time, name) }
    }
}
