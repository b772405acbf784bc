import EventSchema
import WireFormat

extension Product: JSONEncodable {
  /// The product as every route answers with it.
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("product_id", id)
      json.member("name", name)
      json.member("on_hand", onHand)
      json.member("reserved", reserved)
      json.member("available", available)
    }
  }
}

extension Reservation: JSONEncodable {
  /// The reservation as every route answers with it.
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("reservation_id", id)
      json.member("order_id", orderID)
      json.member("status", status)
      json.member("items", items)
      json.member("reason", reason)
      json.member("created_at", createdAt)
      json.member("updated_at", updatedAt)
    }
  }
}
