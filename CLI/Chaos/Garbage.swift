import EventSchema
import Messaging
import WireFormat

/// Records that none of the services writes, and that must not stop any of them.
enum Garbage: String, Sendable, CaseIterable {
  case nullValue = "a null value"
  case emptyValue = "an empty value"
  case notUTF8 = "bytes that are not UTF-8"
  case notJSON = "text that is not JSON"
  case brackets = "a hundred thousand brackets"
  case wrongTypes = "an event with wrong types"
  case hugeNumber = "an event with a quantity of 1e99"
  case missingField = "an event without an order_id"
  case tutorial = "an event in the shape of a tutorial"
  case unknownVersion = "an event of an unknown schema version"
  case unknownType = "an event of an unknown type"
  case large = "300 kB of text"
  case noKey = "an event without a key"
  case otherKey = "an event under another order's key"
  case strangeHeaders = "binary and repeated headers"
  case foreignOrder = "an order that OrderService never had"
  case foreignAnswer = "a reservation for an unknown order"

  /// The record. Nothing in it claims to be from one of the services.
  func record(topic: String, seed: UInt64) -> OutgoingMessage {
    var random = SeededRandom(seed: seed)
    let order = UUIDv7.generate(at: .now(), using: &random)
    var key: String? = order
    var value: [UInt8]?
    var headers: [Header] = []
    switch self {
    case .nullValue: value = nil
    case .emptyValue: value = []
    case .notUTF8: value = (0..<64).map { _ in UInt8.random(in: 0x80...0xFF, using: &random) }
    case .notJSON: value = Array("<order id=\"\(order)\"/>".utf8)
    case .brackets: value = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
    case .wrongTypes:
      value = Array(
        #"{"event_id":7,"event_type":"ORDER_CREATED","schema_version":"1","order_id":[],"items":"many"}"#.utf8)
    case .hugeNumber: value = event(order, quantity: "1e99", using: &random)
    case .missingField: value = event(order, using: &random).replacing(#""order_id""#, with: #""odd_id""#)
    case .tutorial:
      value = Array(#"{"order_id":"\#(order)","customer_id":"c","total":9.5,"status":"created"}"#.utf8)
    case .unknownVersion:
      value = event(order, using: &random).replacing(#""schema_version":1"#, with: #""schema_version":99"#)
    case .unknownType: value = event(order, using: &random).replacing("ORDER_CREATED", with: "ORDER_SUNG_ABOUT")
    case .large: value = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
    case .noKey:
      key = nil
      value = event(order, using: &random)
    case .otherKey:
      key = UUIDv7.generate(at: .now(), using: &random)
      value = event(order, using: &random)
    case .strangeHeaders:
      value = Array("garbage".utf8)
      headers = [
        Header(name: "ce_id", value: [0, 0xFF, 0xFE]), Header(name: "ce_id", value: nil), Header("ce_id", "twice"),
        Header(name: "", value: []), Header("traceparent", "not-a-trace"),
      ]
    case .foreignOrder: value = event(order, using: &random)
    case .foreignAnswer: value = answer(order, using: &random)
    }
    let isAnswer = self == .foreignAnswer
    return OutgoingMessage(
      topic: isAnswer ? Topics.inventory : self == .foreignOrder ? Topics.orders : topic,
      key: key.map { Array($0.utf8) }, value: value, headers: headers)
  }

  private func event(_ order: String, quantity: String = "1", using random: inout SeededRandom) -> [UInt8] {
    let id = UUIDv7.generate(at: .now(), using: &random)
    let product = ChaosLoad.productName(Int.random(in: 0..<ChaosLoad.products, using: &random))
    return Array(
      """
      {"event_id":"\(id)","event_type":"ORDER_CREATED","schema_version":1,"order_id":"\(order)","order_version":1,\
      "customer_id":"somebody-else","items":[{"product_id":"\(product)","quantity":\(quantity),"unit_price":1.00}],\
      "total":1.00,"timestamp":"\(Timestamp.now().rfc3339)"}
      """.utf8)
  }

  private func answer(_ order: String, using random: inout SeededRandom) -> [UInt8] {
    let id = UUIDv7.generate(at: .now(), using: &random)
    let reservation = UUIDv7.generate(at: .now(), using: &random)
    return Array(
      """
      {"event_id":"\(id)","event_type":"INVENTORY_RESERVED","schema_version":1,"order_id":"\(order)",\
      "order_version":1,"reservation_id":"\(reservation)","items":[{"product_id":"p","quantity":1}],\
      "timestamp":"\(Timestamp.now().rfc3339)"}
      """.utf8)
  }
}

extension [UInt8] {
  fileprivate func replacing(_ text: String, with other: String) -> [UInt8] {
    Array(String(decoding: self, as: UTF8.self).replacing(text, with: other).utf8)
  }
}
