import EventSchema
import Foundation
import GRDB
import MessagingSQLite
import TestSupport
import Testing
import WireFormat

@testable import Inventory
@testable import Messaging
@testable import Notifications
@testable import Orders

/// Small orders, and every order in which what is told of them can arrive, through the groups' own inboxes: later versions
/// before earlier ones, anything once more, a cancellation at any moment.
@Suite("Interleavings")
struct InterleavingsTests {
  @Test(.timeLimit(.minutes(2)), arguments: [0, 1] as [Int64])
  func anOrderComesToItsEndWhateverArrivesWhen(pieces: Int64) async throws {
    try await explore(atLeast: 200) { system, choices in
      try system.play(choices, orders: 1, pieces: pieces, cancellations: 1, redeliveries: 2)
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func anythingMayArriveTwice() async throws {
    try await explore(atLeast: 100) { system, choices in
      try system.play(choices, orders: 1, pieces: 1, cancellations: 0, redeliveries: 3)
    }
  }

  /// One gets the last piece; or nobody, where it is given back too late.
  @Test(.timeLimit(.minutes(2)))
  func twoOrdersWantTheLastPieceAndOneIsCancelled() async throws {
    try await explore(atLeast: 500) { system, choices in
      try system.play(choices, orders: 2, pieces: 1, cancellations: 1, redeliveries: 0)
    }
  }

  /// A group that tells nothing can hear of an order when it likes: whatever comes first, and twice.
  @Test(.timeLimit(.minutes(2)))
  func everyArrivalAtTheNotificationsMakesOneMailAKind() async throws {
    try await explore(atLeast: 80) { system, choices in try system.playMails(choices) }
  }

  /// Plays every branch once, on a thread that may block.
  private func explore(
    atLeast expected: Int, _ play: @escaping @Sendable (InterleavedSystem, Choices) throws -> Void
  ) async throws {
    let (plays, broken) = try await DedicatedThread.run(named: "interleavings") {
      let system = try InterleavedSystem()
      let choices = Choices()
      var plays = 0
      repeat {
        choices.rewind()
        try play(system, choices)
        plays += 1
      } while choices.advance() && system.broken.isEmpty
      return (plays, system.broken)
    }
    print("\(plays) interleavings")
    #expect(broken.isEmpty)
    #expect(plays >= expected)
  }
}

/// The three services over stores in memory. Nothing runs by itself: a play says who hears what next.
private final class InterleavedSystem {
  private let clock = SimulatedClock()
  private let orders: SimulatedService<OrderApplication>
  private let inventory: SimulatedService<InventoryApplication>
  private let notifications: SimulatedService<NotificationApplication>
  private var offset: Int64 = 0
  private var products = 0

  init() throws {
    let trace = Trace(clock: clock, isDetailed: false)
    let broker = InMemoryBroker(topics: [Topics.orders: 1, Topics.inventory: 1], clocks: clock.clocks)
    orders = try SimulatedService(retry: RetryPolicy())
    inventory = try SimulatedService(retry: RetryPolicy())
    notifications = try SimulatedService(retry: RetryPolicy())
    for service in [orders, inventory, notifications] as [any SimulatedServiceRole] {
      service.start(broker: broker, clocks: clock.clocks, trace: trace, seed: 1)
    }
  }

  deinit {
    for service in [orders, inventory, notifications] as [any SimulatedServiceRole] { try? service.database.close() }
  }

  /// What broke a promise, in the last play.
  private(set) var broken: [String] = []

  private func expect(_ isKept: Bool, _ what: @autoclosure () -> String) {
    if !isKept { broken.append(what()) }
  }

  /// What has to be there.
  private func found<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Missing() }
    return value
  }

  private struct Missing: Error {}

  /// One way in which things may go; a choice at each step.
  func play(_ choices: Choices, orders number: Int, pieces: Int64, cancellations: Int, redeliveries: Int) throws {
    let product = try stock(pieces)
    let lives = try (0..<number).map { _ in Life(try place(product)) }
    var (cancellations, redeliveries) = (cancellations, redeliveries)
    for life in lives { try listen(to: life) }
    while true {
      var steps: [() throws -> Void] = []
      for life in lives {
        for index in life.told.indices where !life.heardByInventory.contains(index) {
          steps.append { try self.inventoryHears(index, of: life) }
        }
        for index in life.answers.indices where !life.heardByOrders.contains(index) {
          steps.append { try self.ordersHear(index, of: life) }
        }
      }
      if steps.isEmpty { steps.append { throw Rest() } }
      // Of several orders only the first is cancelled: they are alike.
      if cancellations > 0, let life = lives.first {
        steps.append {
          cancellations -= 1
          try self.cancel(life)
        }
      }
      if redeliveries > 0 {
        for life in lives {
          for index in life.heardByInventory.sorted() {
            steps.append {
              redeliveries -= 1
              try self.inventoryHears(index, of: life)
            }
          }
          for index in life.heardByOrders.sorted() {
            steps.append {
              redeliveries -= 1
              try self.ordersHear(index, of: life)
            }
          }
        }
      }
      do { try steps[choices.choose(of: steps.count)]() } catch is Rest { break }
    }
    for life in lives { try check(life) }
    try checkStock(of: product)
  }

  /// An order that has come to some end, and every way in which its events reach the notifications, each once more.
  func playMails(_ choices: Choices) throws {
    let life = Life(try place(try stock(Int64(choices.choose(of: 2)))))
    let isCancelled = choices.choose(of: 2) == 1
    try listen(to: life)
    try inventoryHears(0, of: life)
    try ordersHear(0, of: life)
    if isCancelled { try cancel(life) }
    var times = life.told.map { _ in 2 }
    while let _ = times.first(where: { $0 > 0 }) {
      let left = times.indices.filter { times[$0] > 0 }
      let index = left[choices.choose(of: left.count)]
      times[index] -= 1
      try hear(life.told[index], at: notifications)
    }
    let kinds = try notifications.rows(
      "SELECT kind FROM emails WHERE order_id = ? ORDER BY sequence", [life.id.rawValue]
    ) {
      $0[0] as String
    }
    expect(kinds == life.told.map(\.eventType), "mails \(kinds)")
  }

  private struct Rest: Error {}

  // MARK: Steps

  private func stock(_ pieces: Int64) throws -> ProductID {
    products += 1
    let id = try found(ProductID("product-\(products)"))
    let stockProduct = try found(inventory.instances.first?.application.stockProduct)
    _ = try blocking { try await stockProduct(id, name: "Product", onHand: pieces) }
    return id
  }

  private func place(_ product: ProductID) throws -> OrderID {
    let placeOrder = try found(orders.instances.first?.application.placeOrder)
    let item = OrderItem(productID: product, quantity: 1, unitPrice: Money(minorUnits: 4_990))
    let draft = try OrderDraft(customerID: try found(CustomerID("ada")), items: [item])
    return try blocking { try await placeOrder(draft) }.id
  }

  private func cancel(_ life: Life) throws {
    let cancelOrder = try found(orders.instances.first?.application.cancelOrder)
    let id = life.id
    do {
      _ = try blocking { try await cancelOrder(id, reason: nil) }
      life.isCancelled = true
    } catch let refusal as TransitionRefused {
      expect(refusal.status == .rejected, "not cancelled while \(refusal.status)")
    }
    try listen(to: life)
  }

  private func inventoryHears(_ index: Int, of life: Life) throws {
    life.heardByInventory.insert(index)
    try hear(life.told[index], at: inventory)
    life.answers = try told(by: inventory, of: life.id)
  }

  private func ordersHear(_ index: Int, of life: Life) throws {
    life.heardByOrders.insert(index)
    try hear(life.answers[index], at: orders)
    try listen(to: life)
  }

  private func listen(to life: Life) throws { life.told = try told(by: orders, of: life.id) }

  /// As if the record came from its topic now, alone.
  private func hear(_ told: ToldRow, at service: any SimulatedServiceRole) throws {
    let processor = try found(service.processes.first?.messaging.worker.processor)
    offset += 1
    let partition = TopicPartition(told.topic, 0)
    let record = ConsumedRecord(
      topicPartition: partition, offset: offset, key: told.key.map { Array($0.utf8) }, value: told.value)
    let batch = WorkerBatch(
      parts: [WorkerBatch.Part(partition: partition, cluster: "none", records: [record], failure: nil)])
    let failures = KnownFailures()
    let outcome = try processor.store.transact(isRepeatable: true) {
      try processor.process(batch, knowing: failures, in: $0)
    }
    expect(outcome.parts.allSatisfy { $0.failure == nil } && outcome.givenUp.isEmpty, "failed: \(outcome)")
  }

  private func told(by service: any SimulatedServiceRole, of id: OrderID) throws -> [ToldRow] {
    try service.rows(
      """
      SELECT event_id, event_type, topic, message_value FROM outbox WHERE message_key = CAST(? AS BLOB) ORDER BY sequence
      """, [id.rawValue]
    ) { row in
      ToldRow(
        eventID: row[0], eventType: row[1], topic: row[2], key: id.rawValue, value: [UInt8](row[3] as Data),
        isPublished: false, deadLetterStatus: nil)
    }
  }

  // MARK: Checks

  private func check(_ life: Life) throws {
    let (status, version) = try found(
      try orders.rows("SELECT status, version FROM orders WHERE order_id = ?", [life.id.rawValue]) {
        ($0[0] as String, $0[1] as Int64)
      }.first)
    let reservation = try inventory.rows("SELECT status FROM reservations WHERE order_id = ?", [life.id.rawValue]) {
      $0[0] as String
    }
    let answers = life.answers.map(\.eventType)
    let possible: Set<[String]> =
      switch status {
      case "CONFIRMED": [["RESERVED", "INVENTORY_RESERVED"]]
      case "REJECTED": [["REJECTED", "INVENTORY_REJECTED"]]
      case "CANCELLED":
        [["REJECTED", "INVENTORY_REJECTED"], ["RELEASED", "INVENTORY_RESERVED", "INVENTORY_RELEASED"]]
      default: []
      }
    expect(possible.contains(reservation + answers), "\(status): \(reservation), \(answers)")
    expect((status == "CANCELLED") == life.isCancelled, "\(status), cancelled: \(life.isCancelled)")
    let versions = life.told.map { EventCodec.decode(key: Array(life.id.rawValue.utf8), value: $0.value).version }
    expect(versions == (1...version).map { $0 }, "versions \(versions)")
    let parked = try inventory.number("SELECT COUNT(*) FROM parked_events WHERE event_key = ?", [life.id.rawValue])
    expect(parked == 0, "\(parked) events are parked")
  }

  private func checkStock(of product: ProductID) throws {
    let reserved = try inventory.number("SELECT reserved FROM products WHERE product_id = ?", [product.rawValue])
    let promised = try inventory.number(
      "SELECT coalesce(sum(quantity), 0) FROM reservation_items WHERE product_id = ? AND status = 'RESERVED'",
      [product.rawValue])
    expect(reserved == promised, "\(reserved) are reserved, \(promised) promised")
  }
}

/// An order of a play: what was told of it and answered, and who has heard what.
private final class Life {
  let id: OrderID
  var told: [ToldRow] = []
  var answers: [ToldRow] = []
  var heardByInventory: Set<Int> = []
  var heardByOrders: Set<Int> = []
  var isCancelled = false

  init(_ id: OrderID) { self.id = id }
}
