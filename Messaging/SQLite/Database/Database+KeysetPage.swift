import GRDB

extension Database {
  /// Reads a page of a list by keyset: the first `limit` rows that `read` takes, and where the next page begins.
  ///
  /// The query gives its rows in the list's order, from behind the page before, and at least one more than `limit`
  /// where there is one. Pages neither repeat nor skip a row while others are added, as long as its order is that of an
  /// ascending sequence read downwards.
  ///
  /// - Parameter read: the row's sequence and element; nil for a row that is not of the list. The row is valid inside
  ///   `read` only.
  /// - Returns: the elements, and the sequence of the last one where another follows, else nil.
  public func keysetPage<Element>(
    _ sql: String, _ arguments: StatementArguments, limit: Int,
    _ read: (SQLiteRow) throws -> (sequence: Int64, element: Element)?
  ) throws -> (elements: [Element], next: Int64?) {
    let statement = try cachedStatement(sql: sql)
    try statement.setArguments(arguments)
    let rows = SQLiteRows(of: statement)
    var elements: [Element] = []
    var last: Int64?
    while let row = try rows.next() {
      guard elements.count < limit else { return (elements, last) }
      guard let (sequence, element) = try read(row) else { continue }
      elements.append(element)
      last = sequence
    }
    return (elements, nil)
  }
}
