import EventSchema

/// Invariant 1: every accepted order exists, and has reached its end.
///
/// That an order was accepted shows in the outbox and on the topic, where its `ORDER_CREATED` is.
enum EveryOrderEnds {
  static func check(_ index: ObservationIndex) -> Finding {
    var offenders = Offenders()
    var counts: [ObservedOrder.Status: Int] = [:]
    for order in index.observation.orders {
      counts[order.status, default: 0] += 1
      if order.status == .pending, !index.apart.contains(order.id) { offenders.add("order \(order.id) is PENDING") }
    }
    var announced: Set<String> = []
    for record in index.observation.records where record.place.topic == Topics.orders && record.isOurs {
      guard let id = record.orderID, index.orders[id] == nil, announced.insert(id).inserted else { continue }
      offenders.add("order \(id) was announced at \(record.position) and does not exist")
    }
    var seen: Set<String> = []
    for order in index.observation.orders where !seen.insert(order.id).inserted {
      offenders.add("order \(order.id) is listed twice")
    }
    let parts = ObservedOrder.Status.allCases.map { "\((counts[$0] ?? 0).grouped) \($0.rawValue)" }
    return Finding(
      number: 1, title: "Every accepted order exists and has reached its end",
      figure: "\(index.observation.orders.count.grouped) orders: \(parts.joined(separator: ", "))",
      offenders: offenders)
  }
}
