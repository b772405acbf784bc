/// What `up` prints when everything is ready.
struct Greeting: Sendable, Hashable {
  var stack: Stack
  var paths: StatePaths
  var hasDemoStock: Bool
  /// Whether the services answer nobody without a token.
  var wantsToken = false

  func lines(palette: Palette) -> [String] {
    var lines = ["", palette.bold("Everything is ready."), ""]
    for (name, url) in [
      (ServiceName.order, stack.orderService), (ServiceName.inventory, stack.inventoryService),
      (ServiceName.notification, stack.notificationService),
      ("Kafka", stack.bootstrapServers + (stack.isEmbeddedBroker ? "  (embedded: for development, in memory)" : "")),
      ("State and logs", paths.directory),
    ] {
      lines.append("  \(name.padding(toLength: 21, withPad: " ", startingAt: 0))\(palette.paint(url, .cyan))")
    }
    for (name, urls) in stack.instances.sorted(by: { $0.key < $1.key }) where urls.count > 1 {
      lines.append("  further instances of \(name): \(urls.dropFirst().joined(separator: " "))")
    }
    if hasDemoStock {
      lines += ["", "Try it in another terminal: place an order, look at its reservation, read its mail.", ""]
      if wantsToken { lines += ["  ORDERFLOW_TOKEN has to be one of API_TOKENS with the scopes orders and read.", ""] }
      lines += curls.flatMap { ["  \($0)", ""] }
    } else {
      lines.append("")
    }
    return lines + ["Ctrl-C stops everything.", ""]
  }

  /// Three lines to paste into any shell, together or one by one. The first leaves the order in a file and gives it two
  /// seconds to be served; the others take its id, the fourth word between quotes, from there.
  var curls: [String] {
    let file = Self.quoted(paths.firstOrder)
    let order = #"{"customer_id":"ada","items":[{"product_id":"keyboard","quantity":2,"unit_price":49.90}]}"#
    let id = "$(cut -d'\"' -f4 \(file))"
    let curl = "curl -sw '\\n'" + (wantsToken ? #" -H "authorization: Bearer $ORDERFLOW_TOKEN""# : "")
    return [
      "\(curl) \(stack.orderService)/orders -H 'content-type: application/json' -d '\(order)' | tee \(file); sleep 2",
      "\(curl) \"\(stack.inventoryService)/reservations/\(id)\"",
      "\(curl) \"\(stack.notificationService)/emails?order_id=\(id)\"",
    ]
  }

  /// `text` as one word for a shell.
  private static func quoted(_ text: String) -> String {
    let isPlain = text.unicodeScalars.allSatisfy { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "/._-".unicodeScalars.contains(scalar))
    }
    return isPlain ? text : "'\(text.replacing("'", with: #"'\''"#))'"
  }
}
