extension Array {
  /// The places of elements whose product an earlier element has, ascending. An order must not have any.
  package func repetitions(of product: (Element) -> ProductID) -> [Int] {
    // Most orders have a few items: then comparing each with each is several times cheaper than hashing them.
    guard count > 16 else {
      return indices.filter { place in
        self[..<place].contains { product($0) == product(self[place]) }
      }
    }
    var seen = Set<ProductID>(minimumCapacity: count)
    return indices.filter { !seen.insert(product(self[$0])).inserted }
  }
}
