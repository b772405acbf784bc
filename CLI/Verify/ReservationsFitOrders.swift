/// Invariant 2: CONFIRMED has one reservation, RESERVED; REJECTED one, REJECTED; CANCELLED none, REJECTED or RELEASED.
/// A reservation has all items of its order.
enum ReservationsFitOrders {
  static func check(_ index: ObservationIndex) -> Finding {
    var offenders = Offenders()
    let byOrder = Dictionary(grouping: index.observation.reservations, by: \.orderID)
    for order in index.observation.orders where !index.apart.contains(order.id) {
      let reservations = byOrder[order.id] ?? []
      let statuses = reservations.map(\.status).sorted()
      let expected = expectedStatuses(of: order.status)
      if !expected.contains(statuses) {
        let found = statuses.isEmpty ? "no reservation" : "reservations \(statuses.joined(separator: ", "))"
        offenders.add("order \(order.id) is \(order.status.rawValue) and has \(found)")
      }
      for reservation in reservations where reservation.status == "RESERVED" && reservation.items != order.items {
        offenders.add("order \(order.id): reservation \(reservation.id) has other items than the order")
      }
    }
    var counts: [String: Int] = [:]
    for reservation in index.observation.reservations { counts[reservation.status, default: 0] += 1 }
    let parts = counts.sorted { $0.key < $1.key }.map { "\($0.value.grouped) \($0.key)" }
    let total = index.observation.reservations.count.grouped
    return Finding(
      number: 2, title: "Reservations fit their orders",
      figure: "\(total) reservations" + (parts.isEmpty ? "" : ": \(parts.joined(separator: ", "))"),
      offenders: offenders)
  }

  private static func expectedStatuses(of status: ObservedOrder.Status) -> Set<[String]> {
    switch status {
    // Not at its end: that is invariant 1.
    case .pending: [[], ["RESERVED"], ["REJECTED"]]
    case .confirmed: [["RESERVED"]]
    case .rejected: [["REJECTED"]]
    case .cancelled: [[], ["REJECTED"], ["RELEASED"]]
    }
  }
}
