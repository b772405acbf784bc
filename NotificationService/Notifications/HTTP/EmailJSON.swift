import EventSchema
import WireFormat

extension Mail: JSONEncodable {
  /// The mail as every route answers with it, rendered.
  public func write(to json: inout JSONWriter) {
    let rendered = rendered()
    json.object { json in
      json.member("email_id", id)
      json.member("message_id", messageID.description)
      json.member("order_id", orderID)
      json.member("customer_id", customerID)
      json.member("to", recipient.description)
      json.member("subject", rendered.subject)
      json.member("text", rendered.text)
      json.member("html", rendered.html)
      json.member("kind", kind)
      json.member("status", delivery.status)
      json.member("attempts", delivery.attempts)
      json.member("created_at", createdAt)
      json.member("sent_at", delivery.sentAt)
      json.member("error", delivery.error)
    }
  }
}
