import EventSchema
import WireFormat

extension Order: JSONEncodable {
  /// The order as every route answers with it.
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("order_id", id)
      json.member("customer_id", customerID)
      json.member("items", items)
      json.member("total", total)
      json.member("status", status)
      json.member("version", version)
      if let reason { json.member("reason", reason) }
      json.member("created_at", createdAt)
      json.member("updated_at", updatedAt)
    }
  }
}
