import HTTPTypes

/// What a token may be used for.
public enum AccessScope: String, Sendable, Hashable, CaseIterable {
  /// Placing and cancelling orders.
  case orders
  /// Everything that only looks.
  case read
  /// Putting products into stock.
  case stock
  /// Redriving and discarding dead letters, publishing again, and looking at what one needs for that.
  case operate
}

/// Which of its scopes lets a token do what: the one table of it.
enum AccessRule: Sendable, Hashable {
  /// Everybody may, without a token.
  case open
  /// A token with any of these scopes.
  case scopes([AccessScope])

  /// - Parameter path: split as the router splits it, so that no spelling of a path gets by.
  init(method: HTTPRequest.Method, path: String) {
    let components = path.split(separator: "/", omittingEmptySubsequences: true)
    let first = components.first.map(String.init) ?? ""
    let isLook = method == .get || method == .head
    if isLook, components.count == 1, Self.openPaths.contains(first) {
      self = .open
    } else if Self.operations.contains(first) {
      self = .scopes(isLook ? [.read, .operate] : [.operate])
    } else if isLook {
      self = .scopes([.read])
    } else {
      // Whatever changes something and is not named here is for those who operate the service.
      self = .scopes([Self.writing[first] ?? .operate])
    }
  }

  private static let openPaths: Set<String> = ["health", "ready", "metrics"]
  private static let operations: Set<String> = ["consumers", "outbox", "dead-letters", "parked"]
  private static let writing: [String: AccessScope] = ["orders": .orders, "products": .stock]
}
