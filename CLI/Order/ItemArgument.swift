import EventSchema
import WireFormat

/// An item as the command line has it: `PRODUCT:QUANTITY[:PRICE]`, for example `keyboard:2:49.90`.
struct ItemArgument: Sendable, Hashable {
  var product: ProductID
  var quantity: Int
  /// 0.00 where the argument has none.
  var price: Money

  /// - Throws: ``Failure`` that says which part is wrong. Whether a value is within bounds is the service's answer.
  init(_ argument: String) throws(Failure) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (2...3).contains(parts.count) else {
      throw Failure("'\(argument.printable)' is not PRODUCT:QUANTITY[:PRICE], as in keyboard:2:49.90")
    }
    guard let product = ProductID(parts[0]) else {
      throw Failure("'\(parts[0].printable)' is not a product id: 1 to 64 of A-Z a-z 0-9 . _ -")
    }
    guard let quantity = Int(parts[1]) else {
      throw Failure("'\(parts[1].printable)' is not a quantity: a whole number")
    }
    guard let price = Self.price(parts.count > 2 ? parts[2] : "0") else {
      throw Failure("'\(parts[2].printable)' is not a price: a number with at most two decimals, as 49.90")
    }
    self.product = product
    self.quantity = quantity
    self.price = price
  }

  init(product: ProductID, quantity: Int, price: Money) {
    self.product = product
    self.quantity = quantity
    self.price = price
  }

  private static func price(_ text: String) -> Money? {
    JSONNumber(text).flatMap { Money($0) }
  }
}

extension ItemArgument: JSONEncodable {
  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("product_id", product)
      json.member("quantity", quantity)
      json.member("unit_price", price)
    }
  }
}

/// The body of `POST /orders`.
struct OrderRequest: Sendable, Hashable, JSONEncodable {
  var customer: CustomerID
  var items: [ItemArgument]

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("customer_id", customer)
      json.member("items", items)
    }
  }
}
