import EventSchema
import Orders

/// What the customers of a run know: which orders were taken, and what was said about each. The model that the system is
/// compared with in the end.
struct OrderBook {
  struct Entry {
    let id: OrderID
    let draft: OrderDraft
    /// What its customer called the attempt to order.
    let key: String?
    /// Names a product that nobody has: it can never be confirmed.
    let isImpossible: Bool
    /// Asks for nothing that could run short: it can never be rejected.
    let isCertain: Bool
    /// A cancellation was answered with the cancelled order.
    var isCancelled = false
    /// A cancellation was refused, which only a rejected order may do.
    var isRejected = false
    /// The last that was seen of it.
    var status = OrderStatus.pending

    /// Where it may stand in the end.
    var possibleEnds: Set<OrderStatus> {
      if isCancelled { return [.cancelled] }
      if isRejected || isImpossible { return [.rejected] }
      return isCertain ? [.confirmed] : [.confirmed, .rejected]
    }
  }

  /// Attempts with a key that got no answer: their customers may ask again.
  var unanswered: [(key: String, draft: OrderDraft)] = []
  /// How many keys there have been.
  var keys = 0
  private(set) var entries: [Entry] = []
  /// Pieces in stock, by product.
  var stock: [String: Int64] = [:]

  mutating func add(_ entry: Entry) { entries.append(entry) }

  /// Changes the entry at `index`.
  mutating func change(_ index: Int, _ body: (inout Entry) -> Void) { body(&entries[index]) }

  /// Whether an order that stood at `before` may stand at `after` later.
  static func canBecome(_ after: OrderStatus, from before: OrderStatus) -> Bool {
    switch (before, after) {
    case _ where before == after: true
    case (.pending, _), (.confirmed, .cancelled): true
    default: false
    }
  }
}

/// What there is to buy.
enum Shop {
  /// More than anybody can order in a run.
  static let plenty = "plenty"
  /// Of these there may not be enough.
  static let scarce = ["scarce", "rare"]
  /// Ordered now and then, and never in stock.
  static let unknown = "unheard-of"
}
