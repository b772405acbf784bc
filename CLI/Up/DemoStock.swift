import WireFormat

/// Products to try things with. Those that are missing are put in stock; those that are there stay as they are.
enum DemoStock {
  static let products = [
    StockedProduct(id: "keyboard", name: "Mechanical keyboard", onHand: 1_000),
    StockedProduct(id: "mouse", name: "Wireless mouse", onHand: 1_000),
    StockedProduct(id: "monitor", name: "27-inch monitor", onHand: 200),
    StockedProduct(id: "laptop", name: "Laptop, 14-inch", onHand: 100),
    StockedProduct(id: "headphones", name: "Noise-cancelling headphones", onHand: 300),
    StockedProduct(id: "webcam", name: "HD webcam", onHand: 250),
    StockedProduct(id: "microphone", name: "USB microphone", onHand: 150),
    StockedProduct(id: "usb-hub", name: "USB-C hub, seven ports", onHand: 400),
    StockedProduct(id: "desk-lamp", name: "Desk lamp", onHand: 120),
    StockedProduct(id: "chair", name: "Office chair", onHand: 40),
    StockedProduct(id: "notebook", name: "Paper notebook", onHand: 5_000),
    StockedProduct(id: "golden-stapler", name: "Golden stapler (the last three)", onHand: 3),
  ]

  /// - Returns: how many were missing.
  static func putMissing(into inventory: ServiceClient) async throws -> Int {
    var missing = 0
    for product in products where try await inventory.find("/products/\(product.id)") == nil {
      try await product.put(into: inventory)
      missing += 1
    }
    return missing
  }
}

/// A product, and how many pieces of it lie in stock.
struct StockedProduct: Sendable, Hashable, JSONEncodable {
  var id: String
  var name: String
  var onHand: Int64

  /// - Throws: ``Failure`` when InventoryService refuses it or does not answer.
  func put(into inventory: ServiceClient) async throws {
    let answer = try await inventory.send("PUT", "/products/\(id)", body: jsonBytes)
    guard answer.isSuccess else { throw Failure("\(inventory.name) refused PUT /products/\(id): \(answer.problem)") }
  }

  /// The body of `PUT /products/{product_id}`.
  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("name", name)
      json.member("on_hand", onHand)
    }
  }
}
