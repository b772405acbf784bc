/// Invariant 3: of every product `reserved` is the sum over its RESERVED reservations, and
/// `available = on_hand - reserved` is never below zero.
///
/// That orders leave `on_hand` alone cannot be seen in one look: who knows what was put in stock compares for himself.
enum StockAddsUp {
  static func check(_ index: ObservationIndex) -> Finding {
    var offenders = Offenders()
    var reserved: [String: Int64] = [:]
    for reservation in index.observation.reservations where reservation.status == "RESERVED" {
      for (product, quantity) in reservation.items {
        reserved[product] = (reserved[product] ?? 0).addingReportingOverflow(quantity).partialValue
      }
    }
    var onHand: Int64 = 0
    for product in index.observation.products {
      let sum = reserved.removeValue(forKey: product.id) ?? 0
      onHand = onHand.addingReportingOverflow(product.onHand).partialValue
      if product.reserved != sum {
        offenders.add("\(product.id): reserved is \(product.reserved), its reservations have \(sum)")
      }
      if product.available != product.onHand.subtractingReportingOverflow(product.reserved).partialValue {
        offenders.add(
          "\(product.id): available is \(product.available), on_hand \(product.onHand), reserved \(product.reserved)")
      }
      if product.available < 0 { offenders.add("\(product.id): available is \(product.available)") }
    }
    for (product, sum) in reserved.sorted(by: { $0.key < $1.key }) {
      offenders.add("\(product): reservations have \(sum), and there is no such product")
    }
    let total = index.observation.products.reduce(Int64(0)) { $0.addingReportingOverflow($1.reserved).partialValue }
    return Finding(
      number: 3, title: "Stock adds up",
      figure: "\(index.observation.products.count.grouped) products: \(onHand.grouped) on hand, "
        + "\(total.grouped) reserved",
      offenders: offenders)
  }
}
