import WireFormat

/// Products to try things with. Those that are missing are put in stock; those that are there stay as they are.
enum DemoStock {
  struct Product: Sendable, Hashable, JSONEncodable {
    var id: String
    var name: String
    var onHand: Int

    func write(to json: inout JSONWriter) {
      json.object { json in
        json.member("name", name)
        json.member("on_hand", onHand)
      }
    }
  }

  static let products = [
    Product(id: "keyboard", name: "Mechanical keyboard", onHand: 1_000),
    Product(id: "mouse", name: "Wireless mouse", onHand: 1_000),
    Product(id: "monitor", name: "27-inch monitor", onHand: 200),
    Product(id: "laptop", name: "Laptop, 14-inch", onHand: 100),
    Product(id: "headphones", name: "Noise-cancelling headphones", onHand: 300),
    Product(id: "webcam", name: "HD webcam", onHand: 250),
    Product(id: "microphone", name: "USB microphone", onHand: 150),
    Product(id: "usb-hub", name: "USB-C hub, seven ports", onHand: 400),
    Product(id: "desk-lamp", name: "Desk lamp", onHand: 120),
    Product(id: "chair", name: "Office chair", onHand: 40),
    Product(id: "notebook", name: "Paper notebook", onHand: 5_000),
    Product(id: "golden-stapler", name: "Golden stapler (the last three)", onHand: 3),
  ]

  /// - Returns: how many were missing.
  static func putMissing(into inventory: ServiceClient) async throws -> Int {
    var missing = 0
    for product in products where try await inventory.find("/products/\(product.id)") == nil {
      let answer = try await inventory.send("PUT", "/products/\(product.id)", body: product.jsonBytes)
      guard answer.isSuccess else {
        throw Failure("\(inventory.name) refused PUT /products/\(product.id): \(answer.problem)")
      }
      missing += 1
    }
    return missing
  }
}
