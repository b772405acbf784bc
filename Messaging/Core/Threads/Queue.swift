/// First in, first out, in constant time at both ends: what an Array does badly.
struct Queue<Element> {
  private var storage: [Element] = []
  private var head = 0

  init() {}

  init(_ elements: some Sequence<Element>) {
    storage = Array(elements)
  }

  var count: Int { storage.count - head }
  var isEmpty: Bool { head == storage.count }
  var first: Element? { isEmpty ? nil : storage[head] }
  var last: Element? { isEmpty ? nil : storage[storage.count - 1] }

  mutating func append(_ element: Element) {
    storage.append(element)
  }

  mutating func append(contentsOf elements: some Sequence<Element>) {
    storage.append(contentsOf: elements)
  }

  mutating func popFirst() -> Element? {
    guard !isEmpty else { return nil }
    let element = storage[head]
    removeFirst(1)
    return element
  }

  /// Removes up to `number` elements from the front.
  mutating func removeFirst(_ number: Int) {
    head += Swift.min(Swift.max(number, 0), count)
    if head == storage.count {
      storage.removeAll(keepingCapacity: true)
      head = 0
    } else if head > 64, head * 2 > storage.count {
      storage.removeFirst(head)
      head = 0
    }
  }

  /// Up to `number` elements from the front; they stay.
  func prefix(_ number: Int) -> ArraySlice<Element> {
    storage[head..<(head + Swift.min(Swift.max(number, 0), count))]
  }

  mutating func prepend(contentsOf elements: some Collection<Element>) {
    storage.replaceSubrange(0..<head, with: elements)
    head = 0
  }

  mutating func removeAll() {
    storage.removeAll()
    head = 0
  }
}

extension Queue: Sendable where Element: Sendable {}

extension Queue: Sequence {
  func makeIterator() -> ArraySlice<Element>.Iterator { storage[head...].makeIterator() }
}
