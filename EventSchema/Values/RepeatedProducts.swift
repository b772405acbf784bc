extension [ProductID] {
  /// The places of products that an earlier place has, ascending. An order must not have any.
  package var repetitions: [Int] {
    // Most orders have a few items: then comparing each with each is several times cheaper than hashing them.
    guard count > 16 else {
      return indices.filter { self[..<$0].contains(self[$0]) }
    }
    var seen = Set<ProductID>(minimumCapacity: count)
    return indices.filter { !seen.insert(self[$0]).inserted }
  }
}
