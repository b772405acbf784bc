import EventSchema
import Hummingbird
import ServiceDefaults

/// `/reservations`: what inventory has answered to orders.
struct ReservationRoutes: Sendable {
  let getReservation: GetReservation
  let listReservations: ListReservations
  let followReservations: FollowReservations
  let streams: EventStreams

  func add(to router: ServiceRouter) {
    router.get("/reservations") { request, _ in try await list(request) }
    router.get("/reservations/stream") { request, context in
      try await streams.respond(to: request, context, from: changes)
    }
    router.get("/reservations/:order_id") { _, context in
      try await Response.json(problems { try await getReservation(context.identifier("order_id")) })
    }
  }

  private var changes: EventStreamSource {
    EventStreamSource(last: followReservations.last) { number, limit in
      try await followReservations(after: number, limit: limit).map {
        ServerSentEvent(id: $0.number, name: "reservation", data: $0.reservation)
      }
    }
  }

  private func list(_ request: Request) async throws -> Response {
    var query = request.query()
    let limit = query.limit()
    let filter = ReservationFilter(
      orderID: query.identifier("order_id"), productID: query.identifier("product_id"),
      status: query.choice("status"))
    let cursor = query.cursor(of: "reservations")
    if cursor != nil, cursor?.position == nil { query.refuse("cursor", "is no cursor of this list") }
    try query.check()

    let page = try await listReservations(filter, before: cursor?.position, limit: limit)
    let next = page.next.map { PageCursor(list: "reservations", position: $0) }
    return .json(Page("reservations", page.reservations, next: next))
  }
}
