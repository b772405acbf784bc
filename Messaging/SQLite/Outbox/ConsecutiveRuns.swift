extension RandomAccessCollection {
  /// Cut where a number is not one more than that before it: each slice is a range of rows that one statement can name.
  func consecutiveRuns(by number: (Element) -> Int64) -> [SubSequence] {
    var runs: [SubSequence] = []
    var start = startIndex
    for (index, next) in zip(indices, indices.dropFirst()) where number(self[next]) != number(self[index]) + 1 {
      runs.append(self[start..<next])
      start = next
    }
    if start < endIndex { runs.append(self[start...]) }
    return runs
  }
}
