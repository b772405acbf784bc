import EventSchema
import ServiceDefaults
import Testing
import WireFormat

@testable import Orders

@Suite struct OrdersDomainTests {
  private let start = Timestamp(millisecondsSinceEpoch: 1_000)
  private let later = Timestamp(millisecondsSinceEpoch: 2_000)

  private func order(_ status: OrderStatus) throws -> Order {
    let draft = try OrderDraft(customerID: try #require(CustomerID("ada")), items: [try item("keyboard", 2, 4990)])
    let placed = Order.placed(draft, id: try #require(OrderID("order-1")), at: start)
    return switch status {
    case .pending: placed
    case .confirmed: try placed.confirmed(at: start)
    case .rejected: try placed.rejected(reason: "OUT_OF_STOCK", at: start)
    case .cancelled: try placed.cancelled(reason: "changed my mind", at: start)
    }
  }

  @Test(arguments: OrderStatus.allCases, [OrderStatus.confirmed, .rejected, .cancelled])
  func onlyTheStepsOfTheContractCanBeTaken(from status: OrderStatus, to target: OrderStatus) throws {
    let allowed: [OrderStatus: Set<OrderStatus>] = [
      .pending: [.confirmed, .rejected, .cancelled], .confirmed: [.cancelled],
    ]
    let order = try order(status)

    func step() throws -> Order {
      switch target {
      case .confirmed: try order.confirmed(at: later)
      case .rejected: try order.rejected(reason: "OUT_OF_STOCK", at: later)
      default: try order.cancelled(reason: "changed my mind", at: later)
      }
    }

    if allowed[status]?.contains(target) == true {
      let next = try step()
      #expect(next.status == target)
      #expect(next.version == order.version + 1)
      #expect(next.updatedAt == later)
      #expect(next.items == order.items && next.total == order.total && next.createdAt == start)
    } else {
      let refusal = TransitionRefused(orderID: order.id, status: status, target: target)
      #expect(throws: refusal) { try step() }
    }
  }

  @Test func aClockThatGoesBackDoesNotTakeTheOrderBack() throws {
    let order = try order(.pending)

    #expect(try order.confirmed(at: Timestamp(millisecondsSinceEpoch: 1)).updatedAt == start)
  }

  @Test func eachStepTellsItsEventWithTheOrdersVersionAndTime() throws {
    let eventID = try #require(EventID("event-1"))

    for (status, type, version) in [
      (OrderStatus.pending, EventType.orderCreated, Int64(1)), (.confirmed, .orderConfirmed, 2),
      (.rejected, .orderRejected, 2), (.cancelled, .orderCancelled, 2),
    ] {
      let event = try order(status).event(id: eventID)
      #expect(event.type == type)
      #expect(event.envelope.orderVersion == version)
      #expect(event.envelope.timestamp == start)
    }
  }

  @Test func theTotalIsTheExactSum() throws {
    let customer = try #require(CustomerID("ada"))
    let items = [try item("a", 3, 10), try item("b", 10_000, 100_000_000), try item("c", 1, 1)]

    #expect(try OrderDraft(customerID: customer, items: items).total == Money(minorUnits: 1_000_000_000_031))
  }

  @Test func theLargestOrderHasAnExactTotal() throws {
    let customer = try #require(CustomerID("ada"))
    let items = try (0..<100).map { try item("p\($0)", 10_000, 100_000_000) }

    #expect(try OrderDraft(customerID: customer, items: items).total == Money(minorUnits: 100_000_000_000_000))
  }

  @Test func aDraftNamesEveryRuleThatItBreaks() throws {
    let customer = try #require(CustomerID("ada"))
    let items = [try item("a", 1, 100), try item("b", 1, 100), try item("a", 1, 100), try item("b", 1, 100)]
    let expected = InvalidDraft(violations: [
      .repeatedProduct(index: 2), .repeatedProduct(index: 3),
      .totalDiffers(stated: Money(minorUnits: 399), sum: Money(minorUnits: 400)),
    ])

    #expect(throws: expected) {
      try OrderDraft(customerID: customer, items: items, statedTotal: Money(minorUnits: 399))
    }
  }

  @Test func aSumThatNoNumberHoldsIsRefusedAndDoesNotTrap() throws {
    let customer = try #require(CustomerID("ada"))

    #expect(throws: InvalidDraft(violations: [.totalTooLarge])) {
      try OrderDraft(customerID: customer, items: [try item("a", 2, .max)])
    }
    #expect(throws: InvalidDraft(violations: [.totalTooLarge])) {
      try OrderDraft(customerID: customer, items: [try item("a", 1, .max), try item("b", 1, 1)])
    }
  }

  @Test func storedItemsComeBackAsTheyWere() throws {
    let items = [try item("keyboard", 2, 4990), try item("a.b_c-D9", 10_000, 0)]

    #expect(StoredOrderItems.encode(items) == #"[["keyboard",2,4990],["a.b_c-D9",10000,0]]"#)
    #expect(StoredOrderItems.decode(StoredOrderItems.encode(items)) == items)
    for damaged in ["", "{}", "[[]]", #"[["a",1]]"#, #"[["a",1.5,2]]"#, #"[["a b",1,2]]"#, "[1]"] {
      #expect(StoredOrderItems.decode(damaged) == nil)
    }
  }
}
