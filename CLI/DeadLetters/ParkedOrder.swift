import WireFormat

/// The records of an order that wait in a group's store, and for what.
struct ParkedOrder: Sendable, Hashable, JSONEncodable {
  var group: String
  var orderID: String
  var count: Int
  var versions: ClosedRange<Int64>
  /// Since when the first of them waits.
  var since: String
  /// The version that has to come, or to be dealt with, next.
  var waitingForVersion: Int64
  /// The open dead letter of that version; nil for a gap, where it has never come, and where it is itself parked: then it
  /// is about to be handled.
  var deadLetterID: Int64?

  var isGap: Bool { deadLetterID == nil && versions.lowerBound > waitingForVersion }

  /// Takes the rows of `GET /parked` together, which come by order and version.
  static func collect(_ rows: [JSONObject], of group: String, into orders: inout [ParkedOrder]) throws(Failure) {
    for object in rows {
      let row = Row(object: object, list: "parked events of \(group)")
      let (order, version) = (try row.text("order_id"), try row.integer("order_version"))
      let since = try row.text("parked_at")
      if var known = orders.last, known.group == group, known.orderID == order {
        known.count += 1
        known.versions = min(known.versions.lowerBound, version)...max(known.versions.upperBound, version)
        known.since = min(known.since, since)
        orders[orders.count - 1] = known
      } else {
        orders.append(
          ParkedOrder(
            group: group, orderID: order, count: 1, versions: version...version, since: since,
            waitingForVersion: try row.integer("waiting_for_version"),
            deadLetterID: row.optionalInteger("dead_letter_id")))
      }
    }
  }

  var line: String {
    let events = count == 1 ? "1 event" : "\(count) events"
    let range =
      versions.count == 1
      ? "version \(versions.lowerBound)" : "versions \(versions.lowerBound) to \(versions.upperBound)"
    let head = "\(group): order \(orderID), \(events) (\(range)), "
    if let deadLetterID {
      return head + "waiting behind \(DeadLetterName(group: group, id: deadLetterID)) since \(since)"
    }
    return head + (isGap ? "waiting for version \(waitingForVersion)" : "about to be handled,") + " since \(since)"
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("group", group)
      json.member("order_id", orderID)
      json.member("events", count)
      json.member("first_version", versions.lowerBound)
      json.member("last_version", versions.upperBound)
      json.member("waiting_for_version", waitingForVersion)
      json.member("since", since)
      json.member("dead_letter", deadLetterID.map { DeadLetterName(group: group, id: $0).description })
    }
  }
}
