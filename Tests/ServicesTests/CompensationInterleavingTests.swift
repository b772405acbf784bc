import EventSchema
import TestSupport
import Testing
import WireFormat

@testable import Inventory
@testable import Orders

/// Every way in which an order's steps can interleave between the two services: created, reserved or rejected,
/// confirmed, cancelled at any moment, and any event delivered once more, also past the inbox's memory.
@Suite struct CompensationInterleavingTests {
  @Test(.timeLimit(.minutes(2)), arguments: [true, false])
  func everyInterleavingOfReserveConfirmCancelAndRedeliverEndsInBalance(hasStock: Bool) async throws {
    let run = try await InterleavedOrders(stock: hasStock ? 1_000_000 : 0)

    try await run.explore { choices in
      try await run.playOneOrder(choices, cancellations: 2, redeliveries: 1, keepsVersions: true)
    }
  }

  /// What guards there are besides the version rule hold by themselves.
  @Test(.timeLimit(.minutes(2)), arguments: [true, false])
  func theSameHoldsWhenTheInventoryHearsOfAnOrderInAnyOrder(hasStock: Bool) async throws {
    let run = try await InterleavedOrders(stock: hasStock ? 1_000_000 : 0)

    try await run.explore { choices in
      try await run.playOneOrder(choices, cancellations: 1, redeliveries: 2, keepsVersions: false)
    }
  }
}

/// Both services over stores in memory, and a new order for each way of playing it.
private struct InterleavedOrders {
  let orders: OrdersFixture
  let inventory: InventoryFixture
  let cancelOrder: CancelOrder

  init(stock: Int64) async throws {
    orders = try OrdersFixture()
    inventory = try InventoryFixture()
    cancelOrder = CancelOrder(database: orders.database, orders: orders.store, now: { Timestamp.now() })
    try await inventory.stock("keyboard", stock)
  }

  func explore(_ play: (Choices) async throws -> Void) async throws {
    let choices = Choices()
    var plays = 0
    repeat {
      choices.rewind()
      try await play(choices)
      plays += 1
    } while choices.advance()
    print("\(plays) interleavings")
    #expect(plays > 200)
    #expect(try await inventory.productsOutOfBalance().isEmpty)
  }

  private enum Action {
    case cancel
    case inventoryHears(Event, again: Bool)
    case orderServiceHears(Event, again: Bool)
    case rest
  }

  func playOneOrder(_ choices: Choices, cancellations: Int, redeliveries: Int, keepsVersions: Bool) async throws {
    let order = try await orders.place(items: [try item("keyboard", 3, 4990)])
    var cancellations = cancellations
    var redeliveries = redeliveries
    var heardByInventory: [Event] = []
    var heardByOrders: [Event] = []
    while true {
      let told = try await orders.told(of: order.id).filter { !heardByInventory.contains($0) }
      let answered = try await inventory.told(of: order.id).filter { !heardByOrders.contains($0) }
      var actions = (keepsVersions ? Array(told.prefix(1)) : told).map { Action.inventoryHears($0, again: false) }
      actions += answered.prefix(1).map { .orderServiceHears($0, again: false) }
      if actions.isEmpty { actions.append(.rest) }
      if cancellations > 0 { actions.append(.cancel) }
      if redeliveries > 0 {
        actions += heardByInventory.map { .inventoryHears($0, again: true) }
        actions += heardByOrders.map { .orderServiceHears($0, again: true) }
      }

      switch actions[choices.choose(of: actions.count)] {
      case .cancel:
        cancellations -= 1
        do { _ = try await cancelOrder(order.id, reason: nil) } catch is TransitionRefused {}
      case .inventoryHears(let event, let again):
        if again { redeliveries -= 1 } else { heardByInventory.append(event) }
        try await inventory.deliver(event)
      case .orderServiceHears(let event, let again):
        if again { redeliveries -= 1 } else { heardByOrders.append(event) }
        try await orders.deliver(event.payload, about: order.id)
      case .rest:
        return try await check(order.id)
      }
    }
  }

  private func check(_ id: OrderID) async throws {
    let order = try await orders.order(id)
    let reservation = try await inventory.reservation(id.rawValue)
    let history = try await orders.told(of: id)
    #expect(history.map(\.envelope.orderVersion) == (1...history.count).map(Int64.init))
    #expect(order.version == Int64(history.count))
    let answers = try await inventory.told(of: id).map(\.type)
    switch (order.status, reservation?.status) {
    case (.confirmed, .reserved?): #expect(answers == [.inventoryReserved])
    case (.rejected, .rejected?), (.cancelled, .rejected?): #expect(answers == [.inventoryRejected])
    case (.cancelled, .released?): #expect(answers == [.inventoryReserved, .inventoryReleased])
    case (.cancelled, nil): #expect(answers.isEmpty)
    case (let status, let reservation):
      Issue.record("an order \(status) with a reservation \(reservation.map { "\($0)" } ?? "none")")
    }
  }
}
