/// Elements in the order in which they came; taking the first costs no move of the others. Whoever appends sees to a bound.
package struct FIFOQueue<Element> {
    private var elements: [Element?] = []
    private var head = 0

    package init() {}

    package var count: Int { elements.count - head }

    package mutating func append(_ element: Element) {
        elements.append(element)
    }

    /// - Parameter index: from the oldest, 0.
    package subscript(index: Int) -> Element {
        get { element(at: head + index) }
        set { elements[head + index] = newValue }
    }

    /// There must be one.
    package mutating func removeFirst() -> Element {
        let first = element(at: head)
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 256, head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return first
    }

    private func element(at index: Int) -> Element {
        guard let element = elements[index] else { preconditionFailure("element \(index) was taken already") }
        return element
    }
}
