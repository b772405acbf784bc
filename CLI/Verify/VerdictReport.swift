/// A verdict for people.
struct VerdictReport: Sendable {
  var verdict: Verdict
  /// What was still on its way, nil when all was quiet.
  var unrest: String?
  var offendersShown: Int

  func lines(palette: Palette) -> [String] {
    var lines: [String] = []
    if let unrest {
      lines.append(palette.paint("The stack is not quiet: \(unrest). What follows is a look at it in motion.", .yellow))
    }
    for finding in verdict.findings {
      let mark = finding.holds ? palette.paint("ok    ", .green) : palette.paint("BROKEN", .red)
      lines.append("\(mark)  \(finding.number)  \(palette.bold(finding.title))")
      lines.append("           \(finding.figure)")
      lines += list(finding.offenders.first, of: finding.offenders.count)
    }
    lines += listApart("Orders with an open dead letter, left out of 1, 2 and 4", verdict.ordersWithOpenDeadLetter)
    lines += listApart("Reservations of orders that OrderService never had", verdict.foreignReservations)
    let broken = verdict.findings.filter { !$0.holds }.count
    lines.append(
      broken == 0
        ? palette.paint("All \(verdict.findings.count) invariants hold.", .green)
        : palette.paint("\(broken) of \(verdict.findings.count) invariants are broken.", .red))
    return lines
  }

  private func listApart(_ title: String, _ orders: [String]) -> [String] {
    orders.isEmpty ? [] : ["\(title): \(orders.count.grouped)"] + list(orders, of: orders.count)
  }

  private func list(_ texts: [String], of count: Int) -> [String] {
    let shown = texts.prefix(offendersShown)
    let rest = count - shown.count
    return shown.map { "           - \($0.printable)" } + (rest > 0 ? ["           - and \(rest.grouped) more"] : [])
  }
}
