/// Invariant 6: nothing is in a dead letter queue but what cannot be read or names an unknown order.
///
/// A dead letter that was redriven with success, or discarded, has been dealt with; it stays on the topic for ever.
enum OnlyHopelessDeadLetters {
  static func check(_ index: ObservationIndex) -> Finding {
    var offenders = Offenders()
    var counts: [ObservedDeadLetter.Cause: Int] = [:]
    let open = index.observation.deadLetters.filter(\.isOpen)
    for letter in open {
      counts[letter.cause, default: 0] += 1
      guard letter.cause == .failure else { continue }
      let order = letter.orderID.map { " of order \($0)" } ?? ""
      offenders.add("\(letter.place): event \(letter.eventID)\(order), given up by \(letter.group): \(letter.error)")
    }
    return Finding(
      number: 6, title: "Only what is hopeless is in a dead letter queue",
      figure: "\(open.count.grouped) open: \((counts[.unreadable] ?? 0).grouped) unreadable, "
        + "\((counts[.unknownOrder] ?? 0).grouped) of unknown orders, \((counts[.failure] ?? 0).grouped) others; "
        + "\((index.observation.deadLetters.count - open.count).grouped) dealt with",
      offenders: offenders)
  }
}
