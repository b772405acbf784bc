import WireFormat

/// Takes a look at everything: the services' lists and the topics.
struct Look: Sendable {
  let stack: Stack
  let progress: Progress

  /// - Parameter isQuiet: whether the stack had come to rest before.
  /// - Throws: ``Failure`` when a service or the broker does not answer.
  func take(isQuiet: Bool) async throws -> Observation {
    // The topics first: what is on them now is in the outboxes that are read afterwards.
    let scan = try await TopicScan.read(stack, progress: progress)
    let services = stack.clients
    async let orders = list(services.order, "/orders", "orders", ObservedOrder.init)
    async let reservations = list(services.inventory, "/reservations", "reservations", ObservedReservation.init)
    async let products = list(services.inventory, "/products", "products", ObservedProduct.init)
    async let mails = list(services.notification, "/emails", "emails", ObservedMail.init)
    async let outbox = outbox()
    async let deadLetters = deadLetters(scan.deadLetters)
    var observation = Observation()
    observation.orders = try await orders
    observation.reservations = try await reservations
    observation.products = try await products
    observation.mails = try await mails
    observation.outbox = try await outbox
    observation.records = scan.records
    observation.logs = scan.logs
    observation.deadLetters = try await deadLetters.letters(orders: Set(observation.orders.map(\.id)))
    observation.isQuiet = isQuiet
    observation.takenAt = .now()
    return observation
  }

  private func outbox() async throws -> [ObservedOutboxRow] {
    var rows: [ObservedOutboxRow] = []
    for service in stack.clients.all {
      rows += try await list(service, "/outbox", "rows", as: "outbox of \(service.name)") { row in
        try ObservedOutboxRow(row, service: service.name)
      }
    }
    return rows
  }

  private func deadLetters(_ published: DeadLetterCollection) async throws -> DeadLetterCollection {
    var collection = published
    for service in stack.clients.all {
      try await service.pages("/dead-letters", member: "dead_letters") { rows in
        for row in rows {
          try collection.add(Row(object: row, list: "\(service.name)'s dead letters"), service: service.name)
        }
      }
    }
    return collection
  }

  private func list<Element>(
    _ service: ServiceClient, _ path: String, _ member: String, as name: String? = nil,
    _ element: (Row) throws -> Element
  ) async throws -> [Element] {
    var elements: [Element] = []
    try await service.pages(path, member: member) { rows in
      for row in rows { elements.append(try element(Row(object: row, list: "\(service.name)'s \(member)"))) }
      progress.show(name ?? member, elements.count.grouped)
    }
    return elements
  }
}
