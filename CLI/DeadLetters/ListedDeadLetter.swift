import WireFormat

/// A dead letter as its service lists it.
struct ListedDeadLetter: Sendable, JSONEncodable {
  let queue: DeadLetterQueue
  let id: Int64
  let row: JSONObject

  init(_ row: JSONObject, of queue: DeadLetterQueue) throws(Failure) {
    self.queue = queue
    self.row = row
    id = try Row(object: row, list: "\(queue.service.name)'s dead letters").integer("id")
  }

  var name: DeadLetterName { DeadLetterName(group: queue.group, id: id) }
  var status: String { text("status") ?? "" }
  var orderID: String? { text("order_id") }
  var error: String { text("error") ?? "" }
  var failedAt: String { text("failed_at") ?? "" }

  func text(_ name: String) -> String? { row[name]?.string }
  func number(_ name: String) -> String { row[name]?.number?.text ?? "-" }

  /// `orders/3@17`
  var place: String {
    "\(text("original_topic") ?? "?")/\(number("original_partition"))@\(number("original_offset"))"
  }

  /// The service's row, with the name that holds over all services as its id.
  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("id", name.description)
      for member in row.members where member.name != "id" { json.member(name: member.name, member.value) }
    }
  }
}
