import EventSchema
import WireFormat

extension OrderTimeline: JSONEncodable {
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("order_id", orderID)
      json.member("steps", steps)
    }
  }
}

extension OrderTimeline.Step: JSONEncodable {
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("direction", direction.rawValue)
      json.member("event_id", eventID)
      json.member("event_type", eventType)
      json.member("topic", topic)
      json.member("partition", partition)
      json.member("offset", offset)
      json.member("attempt", attempt)
      json.member("at", at)
      if direction == .published { json.member("published_at", publishedAt) }
      json.member("status", status)
    }
  }
}
