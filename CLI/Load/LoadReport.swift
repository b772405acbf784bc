import WireFormat

/// What a load showed.
struct LoadReport: Sendable, JSONEncodable {
  /// One stretch of an order's way.
  struct Stretch: Sendable {
    var name: String
    /// The name in JSON.
    var key: StaticString
    var latencies: LatencyHistogram
  }

  var plan: LoadPlan
  var intake: LoadIntake
  var missing: Offenders
  var ends: [String: Int]
  /// From the first order's acceptance to the last final mail.
  var wholeWay: Duration
  var stretches: [Stretch]

  init(plan: LoadPlan, intake: LoadIntake, ends: LoadEnds) {
    self.plan = plan
    self.intake = intake
    missing = ends.missing
    self.ends = ends.orders.values.reduce(into: [:]) { $0[$1.status ?? "not there", default: 0] += 1 }
    let first = ends.orders.values.map(\.createdAt).min()
    let last = ends.orders.values.compactMap(\.mailedAt).max()
    wholeWay = first.flatMap { first in last.map { max($0 - first, .milliseconds(1)) } } ?? .zero
    func times(_ moment: (LoadEnds.Order) -> Timestamp?) -> LatencyHistogram {
      ends.orders.values.reduce(into: LatencyHistogram()) { histogram, order in
        if let moment = moment(order) { histogram.record(moment - order.createdAt) }
      }
    }
    stretches = [
      Stretch(name: "acceptance", key: "acceptance", latencies: intake.latencies),
      Stretch(name: "order to reservation", key: "reservation", latencies: times(\.reservedAt)),
      Stretch(name: "order to verdict", key: "verdict", latencies: times { $0.finalMail == nil ? nil : $0.settledAt }),
      Stretch(name: "order to final e-mail", key: "final_email", latencies: times(\.mailedAt)),
    ]
  }

  var holds: Bool { missing.count == 0 && intake.failed.count == 0 }

  func lines(palette: Palette) -> [String] {
    var lines = [
      "\(intake.accepted.count.grouped) orders accepted in \(intake.elapsed.brief): "
        + palette.bold("\(Int(intake.acceptedPerSecond).grouped) orders/s") + ", \(pace)"
    ]
    for (status, count) in intake.refusals.sorted(by: { $0.key < $1.key }) {
      lines.append("\(count.grouped) answers \(status), sent again after Retry-After")
    }
    let parts = ends.sorted { $0.key < $1.key }.map { "\($0.value.grouped) \($0.key)" }
    if wholeWay > .zero {
      let rate = Int(Double(intake.accepted.count) / wholeWay.seconds)
      lines.append(
        "\(parts.joined(separator: ", ")); from the first order to the last mail \(wholeWay.brief): "
          + palette.bold("\(rate.grouped) orders/s end to end"))
    }
    var table = Table(.text(""), .number("p50"), .number("p95"), .number("p99"), .number("max"), .number("count"))
    for stretch in stretches {
      let times = stretch.latencies
      table.add(
        stretch.name, times.percentile(0.5).precise, times.percentile(0.95).precise, times.percentile(0.99).precise,
        times.maximum.precise, times.count.grouped)
    }
    lines += [""] + table.lines(palette: palette) + ["", source]
    for (title, offenders) in [("Refused or without an answer", intake.failed), ("Lost on the way", missing)]
    where offenders.count > 0 {
      lines.append(palette.paint("\(title): \(offenders.count.grouped)", .red))
      lines += offenders.first.prefix(5).map { "  - \($0.printable)" }
    }
    return lines
  }

  private var pace: String {
    switch plan.pace {
    case .closedLoop: "\(plan.concurrency) connections, each sends when it has its answer"
    case .openLoop(let rate): "sent at \(Int(rate).grouped)/s over at most \(plan.concurrency) connections"
    }
  }

  /// Where the times come from.
  private var source: String {
    let acceptance =
      plan.pace == .closedLoop
      ? "Acceptance is timed here, from the sending of the request."
      : "Acceptance is timed here, from the moment at which the order was due."
    return acceptance + " The others are differences of stored timestamps, in whole milliseconds: the order's "
      + "created_at and updated_at, the reservation's created_at, the mail's sent_at, each taken just before its commit."
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("orders", plan.orders)
      json.member("accepted", intake.accepted.count)
      json.member("failed", intake.failed.count)
      json.member("failures", intake.failed.first)
      json.member("lost", missing.count)
      json.member("losses", missing.first)
      json.member(
        "refused_and_retried",
        object: { json in
          for (status, count) in intake.refusals.sorted(by: { $0.key < $1.key }) {
            json.member(name: String(status), count)
          }
        })
      json.member(
        "ends",
        object: { json in
          for (status, count) in ends.sorted(by: { $0.key < $1.key }) { json.member(name: status, count) }
        })
      json.member("seconds", Rounded(intake.elapsed.seconds))
      json.member("orders_per_second", Rounded(intake.acceptedPerSecond))
      json.member("end_to_end_seconds", Rounded(wholeWay.seconds))
      json.member(
        "end_to_end_orders_per_second",
        Rounded(wholeWay > .zero ? Double(intake.accepted.count) / wholeWay.seconds : 0))
      json.member(
        "latency_ms",
        object: { json in
          for stretch in stretches { json.member(stretch.key, Summary(latencies: stretch.latencies)) }
        })
    }
  }
}

private struct Summary: JSONEncodable {
  var latencies: LatencyHistogram

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("count", Int64(clamping: latencies.count))
      json.member("p50", Rounded(latencies.percentile(0.5).seconds * 1000))
      json.member("p95", Rounded(latencies.percentile(0.95).seconds * 1000))
      json.member("p99", Rounded(latencies.percentile(0.99).seconds * 1000))
      json.member("max", Rounded(latencies.maximum.seconds * 1000))
    }
  }
}

/// A measured number with three decimals.
struct Rounded: Sendable, JSONEncodable {
  var thousandths: Int64

  init(_ number: Double) {
    thousandths = Int64((number * 1000).rounded())
  }

  func write(to json: inout JSONWriter) {
    json.decimal(minorUnits: thousandths, decimals: 3)
  }
}

extension Duration {
  /// With two decimals below ten milliseconds: `0.83 ms`, `9.40 ms`, `12 ms`, `3.4 s`.
  fileprivate var precise: String {
    guard self < .milliseconds(10) else { return brief }
    let hundredths = Int((self / .microseconds(10)).rounded())
    return "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10) ms"
  }
}
