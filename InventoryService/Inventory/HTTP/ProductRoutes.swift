import EventSchema
import HTTPTypes
import Hummingbird
import ServiceDefaults

/// `/products`: what there is, and the ways to change it.
struct ProductRoutes: Sendable {
  let stockProduct: StockProduct
  let restockProduct: RestockProduct
  let getProduct: GetProduct
  let listProducts: ListProducts

  func add(to router: ServiceRouter) {
    router.put("/products/:product_id") { request, context in
      try await stock(context.validIdentifier("product_id"), request)
    }
    router.post("/products/:product_id/restock") { request, context in
      try await restock(context.identifier("product_id"), request)
    }
    router.get("/products") { request, _ in try await list(request) }
    router.get("/products/:product_id") { _, context in
      try await Response.json(problems { try await getProduct(context.identifier("product_id")) })
    }
  }

  private func stock(_ productID: ProductID, _ request: Request) async throws -> Response {
    var fields = FieldValidator(try await request.jsonObject())
    let name = fields.string("name", length: Product.nameLengthRange)
    let onHand = fields.integer("on_hand", in: Product.onHandRange)
    try fields.check()
    guard let name, let onHand else { throw Problem.unprocessable([]) }

    let (product, isNew) = try await problems {
      try await stockProduct(productID, name: name, onHand: Int64(onHand))
    }
    guard isNew else { return .json(product) }
    return .json(product, status: .created, headers: [.location: "/products/\(productID)"])
  }

  private func restock(_ productID: ProductID, _ request: Request) async throws -> Response {
    var fields = FieldValidator(try await request.jsonObject())
    let quantity = fields.integer("quantity", in: Product.restockRange)
    try fields.check()
    guard let quantity else { throw Problem.unprocessable([]) }

    return try await Response.json(problems { try await restockProduct(productID, by: quantity) })
  }

  private func list(_ request: Request) async throws -> Response {
    var query = request.query()
    let limit = query.limit()
    let cursor = query.cursor(of: "products")
    let last = cursor?.parts.first.flatMap { ProductID($0) }
    if cursor != nil, last == nil { query.refuse("cursor", "is no cursor of this list") }
    try query.check()

    let page = try await listProducts(after: last, limit: limit)
    let next = page.next.map { PageCursor(list: "products", parts: [$0.rawValue]) }
    return .json(Page("products", page.products, next: next))
  }
}
