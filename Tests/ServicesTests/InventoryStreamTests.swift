import EventSchema
import TestSupport
import Testing
import WireFormat

@testable import Inventory

@Suite(.timeLimit(.minutes(1))) struct InventoryStreamTests {
  @Test func eachChangeOfAReservationIsOneEventThatShowsItAsItStood() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    try await fixture.deliver(try OrderScript("before", [("keyboard", 1)]).created())
    let served = try OrderScript("order-1", [("keyboard", 4)])
    let refused = try OrderScript("order-2", [("keyboard", 99)])

    try await fixture.listening { client in
      let events = try await client.stream("/reservations/stream") { reader in
        try await reader.waitForComments(1)
        // Both steps of the first order are committed before anybody looks.
        try await fixture.deliver(served.created(), served.cancelled("too slow"))
        try await fixture.deliver(refused.created())
        try await fixture.deliver(refused.cancelled(), served.cancelled(version: 3))
        return [try await reader.next(), try await reader.next(), try await reader.next()].compactMap { $0 }
      }

      #expect(events.map(\.name) == ["reservation", "reservation", "reservation"])
      let changes = try events.compactMap { try $0.json() }
      #expect(changes.map { $0["order_id"]?.string } == ["order-1", "order-1", "order-2"])
      #expect(changes.map { $0["status"]?.string } == ["RESERVED", "RELEASED", "REJECTED"])
      #expect(changes.map { $0["reason"]?.string } == [nil, "too slow", "OUT_OF_STOCK"])
      let read = try await client.get("/reservations/order-1")
      #expect(events[1].data == String(decoding: read.body, as: UTF8.self))

      let again = try await client.stream("/reservations/stream", lastEventID: events[0].id) { reader in
        [try await reader.next(), try await reader.next()].compactMap { $0 }
      }
      #expect(again == Array(events[1...]))
    }
  }

  @Test func theChangesOfAnotherInstanceAreSeenToo() async throws {
    let path = try temporaryFolder().appendingPathComponent("inventory.sqlite").path
    let (one, other) = (try InventoryFixture(databasePath: path), try InventoryFixture(databasePath: path))
    try await one.stock("keyboard", 10)

    try await running(one.services) { () async throws in
      try await running(other.services) { () async throws in
        try await one.listening { client in
          try await client.stream("/reservations/stream") { reader in
            try await reader.waitForComments(1)
            for number in 1...3 {
              try await other.deliver(try OrderScript("order-\(number)", [("keyboard", 1)]).created())
              #expect(try await reader.next()?.json()?["order_id"]?.string == "order-\(number)")
            }
          }
        }
      }
    }
  }

  @Test func aThousandChangesAtOnceComeInTheOrderOfTheirCommits() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10_000)
    let orders = try (0..<1_000).map { try OrderScript("order-\($0)", [("keyboard", 1)]) }

    try await fixture.listening { client in
      try await client.stream("/reservations/stream") { reader in
        try await reader.waitForComments(1)
        try await withThrowingTaskGroup(of: Void.self) { group in
          for order in orders { group.addTask { try await fixture.deliver(order.created()) } }
          try await group.waitForAll()
        }
        let committed = try await fixture.told().map(\.envelope.orderID.rawValue)
        for orderID in committed {
          #expect(try await reader.next()?.json()?["order_id"]?.string == orderID)
        }
      }
    }
  }
}
