/// Invariant 4: one mail per order and kind, for exactly the kinds that the order's history has.
enum OneMailPerStep {
  static func check(_ index: ObservationIndex) -> Finding {
    var offenders = Offenders()
    var mails: [String: [String: Int]] = [:]
    for mail in index.observation.mails { mails[mail.orderID, default: [:]][mail.kind, default: 0] += 1 }
    var foreign = 0
    for order in index.observation.orders where !index.apart.contains(order.id) {
      let kinds = mails[order.id] ?? [:]
      for kind in order.mailKinds where kinds[kind] == nil { offenders.add("order \(order.id): no mail \(kind)") }
      for kind in kinds.keys.sorted() where !order.mailKinds.contains(kind) {
        offenders.add("order \(order.id) is \(order.status.rawValue) and has a mail \(kind)")
      }
    }
    for (order, kinds) in mails {
      if index.orders[order] == nil { foreign += kinds.values.reduce(0, +) }
      for (kind, count) in kinds where count > 1 { offenders.add("order \(order): \(count) mails \(kind)") }
    }
    return Finding(
      number: 4, title: "One mail per order and kind",
      figure: "\(index.observation.mails.count.grouped) mails for \(mails.count.grouped) orders"
        + (foreign > 0 ? ", \(foreign.grouped) of them for orders of others" : ""),
      offenders: offenders)
  }
}
