import EventSchema
import HTTPTypes
import ServiceDefaults
import WireFormat

extension OrderRoutes {
  /// The short way of an order that can be placed and has no idempotency key.
  var directPlacing: DirectRoute {
    .post("/orders", read: DirectOrder.init) { [placeOrder] order, answer in
      placeOrder(order.draft, trace: order.trace, answering: WholeAnswer.created, answer: answer)
    }
  }
}

/// What such a request asks for.
private struct DirectOrder {
  let draft: OrderDraft
  let trace: TraceContext?

  /// Nil, or an error, for a request that `OrderRoutes` has to look at.
  init?(_ fields: HTTPFields, _ body: [UInt8]) throws {
    guard !fields.contains(.idempotencyKey) else { return nil }
    draft = try OrderDraft(from: JSONElement.Object(body: body, fields: fields))
    trace = TraceContext(fields: fields)
  }
}

extension WholeAnswer {
  /// 201 with an order that is placed, and its address.
  static func created(_ order: Order) -> WholeAnswer {
    .json(order, status: .created, headers: [.location: "/orders/\(order.id)"])
  }
}
