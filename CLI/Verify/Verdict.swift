import WireFormat

/// What breaks an invariant: how many, and the first few in words.
struct Offenders: Sendable, Hashable {
  /// More than this are only counted.
  static let kept = 100

  private(set) var count = 0
  private(set) var first: [String] = []

  mutating func add(_ text: @autoclosure () -> String) {
    count += 1
    if first.count < Self.kept { first.append(text()) }
  }

  mutating func add(_ others: Offenders) {
    count += others.count
    first += others.first.prefix(max(0, Self.kept - first.count))
  }
}

/// An invariant of the contract's section 7, and what became of it.
struct Finding: Sendable, Hashable, JSONEncodable {
  var number: Int
  var title: String
  /// What was counted, for people: `2,000 orders: 1,412 CONFIRMED, ...`.
  var figure: String
  var offenders: Offenders

  var holds: Bool { offenders.count == 0 }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("number", number)
      json.member("title", title)
      json.member("holds", holds)
      json.member("figure", figure)
      json.member("offender_count", offenders.count)
      json.member("offenders", offenders.first)
    }
  }
}

/// What `verify` found.
struct Verdict: Sendable, Hashable, JSONEncodable {
  var findings: [Finding]
  /// Orders that some group has an open dead letter of: their way is not finished, so 1, 2 and 4 leave them out.
  var ordersWithOpenDeadLetter: [String]
  /// Orders with a reservation that OrderService never had.
  var foreignReservations: [String]
  /// Whether nothing was on its way when the look was taken.
  var isQuiet: Bool

  var holds: Bool { findings.allSatisfy(\.holds) }

  init(on observation: Observation) {
    let index = ObservationIndex(observation)
    findings = [
      EveryOrderEnds.check(index), ReservationsFitOrders.check(index), StockAddsUp.check(index),
      OneMailPerStep.check(index), EverythingIsPublishedInOrder.check(index), OnlyHopelessDeadLetters.check(index),
    ]
    ordersWithOpenDeadLetter = index.apart.sorted()
    foreignReservations = Set(observation.reservations.map(\.orderID).filter { index.orders[$0] == nil }).sorted()
    isQuiet = observation.isQuiet
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("holds", holds)
      json.member("quiet", isQuiet)
      json.member("invariants", findings)
      json.member("orders_with_open_dead_letter", ordersWithOpenDeadLetter)
      json.member("foreign_reservations", foreignReservations)
    }
  }
}

/// An observation with what several checks look up in it.
struct ObservationIndex: Sendable {
  let observation: Observation
  let orders: [String: ObservedOrder]
  /// Orders with an open dead letter.
  let apart: Set<String>

  init(_ observation: Observation) {
    self.observation = observation
    let orders = Dictionary(observation.orders.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    self.orders = orders
    apart = Set(observation.deadLetters.filter(\.isOpen).compactMap(\.orderID).filter { orders[$0] != nil })
  }
}
