import EventSchema
import ServiceDefaults
import WireFormat

extension OrderDraft {
  /// Reads the body of `POST /orders`.
  ///
  /// - Throws: `Problem` 422 naming every field that is out of its bounds; when all are within, every rule over
  ///   several of them that is broken.
  package init(from object: JSONElement.Object) throws {
    var fields = FieldValidator(object)
    let customerID = fields.identifier("customer_id", as: CustomerID.self)
    let items = fields.objects("items", count: OrderItem.countRange, orderItem)
    let statedTotal = fields.optionalMoney("total", in: Money.zero...Money(minorUnits: .max))
    try fields.check()
    guard let customerID, let items else { throw Problem.unprocessable([]) }

    do {
      try self.init(customerID: customerID, items: items, statedTotal: statedTotal)
    } catch {
      throw Problem.unprocessable(error.violations.map(\.fieldError))
    }
  }
}

private func orderItem(_ fields: inout FieldValidator) -> OrderItem? {
  let productID = fields.identifier("product_id", as: ProductID.self)
  let quantity = fields.integer("quantity", in: OrderItem.quantityRange)
  let unitPrice = fields.money("unit_price", in: OrderItem.unitPriceRange)
  guard let productID, let quantity, let unitPrice else { return nil }
  return OrderItem(productID: productID, quantity: quantity, unitPrice: unitPrice)
}

extension DraftViolation {
  fileprivate var fieldError: FieldError {
    switch self {
    case .itemCount(let count):
      FieldError(pointer: "/items", detail: "has \(count) items")
    case .repeatedProduct(let index):
      FieldError(pointer: "/items/\(index)/product_id", detail: "names a product that an earlier item names")
    case .totalDiffers(let stated, let sum):
      FieldError(pointer: "/total", detail: "is \(stated), but the items come to \(sum)")
    case .totalTooLarge:
      FieldError(pointer: "/items", detail: "come to more than can be charged")
    }
  }
}
