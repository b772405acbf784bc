import EventSchema
import HTTPTypes
import Hummingbird
import ServiceDefaults
import WireFormat

/// The HTTP door to the orders. Each handler reads the request, calls one use case, and writes its answer.
struct OrderRoutes: Sendable {
  let placeOrder: PlaceOrder
  let placeOrderOnce: PlaceOrderOnce
  let cancelOrder: CancelOrder
  let awaitSettledOrder: AwaitSettledOrder
  let listOrders: ListOrders
  let traceOrder: TraceOrder

  func add(to router: ServiceRouter) {
    router.post("/orders") { request, context in try await place(request, context) }
    router.get("/orders") { request, _ in try await list(request) }
    router.get("/orders/:order_id") { request, context in try await get(request, context) }
    router.get("/orders/:order_id/timeline") { _, context in try await timeline(context) }
    router.post("/orders/:order_id/cancel") { request, context in try await cancel(request, context) }
  }

  private func place(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
    let object = try await request.jsonObject()
    let key = try IdempotencyKey(request, of: context.requester)
    let draft = try OrderDraft(from: object)
    let trace = TraceContext(request)
    if let key { return try await place(draft, once: key, trace) }

    return Response(.created(try await placeOrder(draft, trace: trace)))
  }

  private func place(
    _ draft: OrderDraft, once key: IdempotencyKey, _ trace: TraceContext?
  ) async throws -> Response {
    let outcome = try await problems { try await placeOrderOnce(draft, key: key, trace: trace) { $0.jsonBytes } }
    var headers: HTTPFields = [.location: "/orders/\(outcome.answer.orderID)"]
    if outcome.isRepeated { headers[.idempotencyReplayed] = "true" }
    return .json(bytes: outcome.answer.body, status: .created, headers: headers)
  }

  private func get(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
    let orderID = try context.orderID()
    let wait = try Wait(request)
    let order = try await problems {
      try await awaitSettledOrder(orderID, upTo: wait.duration) { stop, waiting in
        try await context.whenClientDisconnects(stop, during: waiting)
      }
    }
    return .json(order)
  }

  private func list(_ request: Request) async throws -> Response {
    let query = try OrderListQuery(request)
    let page = try await listOrders(query.filter, before: query.before, limit: query.limit)
    return .json(Page("orders", page.orders, next: page.next.map(OrderListQuery.cursor(before:))))
  }

  private func timeline(_ context: ServiceRequestContext) async throws -> Response {
    let orderID = try context.orderID()
    return .json(try await problems { try await traceOrder(orderID) })
  }

  private func cancel(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
    let orderID = try context.orderID()
    let reason = try cancellationReason(in: try await request.jsonObject(allowingEmpty: true))
    let trace = TraceContext(request)
    return .json(try await problems { try await cancelOrder(orderID, reason: reason, trace: trace) })
  }
}

extension ServiceRequestContext {
  fileprivate func orderID() throws -> OrderID { try identifier("order_id") }
}
