/// Walks a tree of choices, every path once: each play repeats the last one up to a choice that has another branch left.
public final class Choices {
  private var path: [(chosen: Int, count: Int)] = []
  private var depth = 0

  public init() {}

  /// Before each play.
  public func rewind() { depth = 0 }

  /// One of `count` branches.
  public func choose(of count: Int) -> Int {
    if depth == path.count { path.append((0, count)) }
    defer { depth += 1 }
    precondition(path[depth].count == count, "the same choices lead to the same place")
    return path[depth].chosen
  }

  /// Whether there is a path that has not been walked.
  public func advance() -> Bool {
    while let last = path.last {
      if last.chosen + 1 < last.count {
        path[path.count - 1].chosen += 1
        return true
      }
      path.removeLast()
    }
    return false
  }
}
