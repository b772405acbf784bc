import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  @Suite struct MailStreamTests {
    @Test(.timeLimit(.minutes(3)))
    func everyMailIsOneEventWhicheverInstanceWroteItAndAStreamCanBeResumed() async throws {
      let stack = try await RunningStack(arguments: ["--instances", "2"])
      try await stack.stock("keyboard", onHand: 100)

      let events = try await stack.notifications.stream("/emails/stream") { reader in
        try await placeTwentyOrders(on: stack)
        return try await reader.next(40)
      }
      let mails = try await stack.notifications.all("/emails", "emails")
      #expect(events.allSatisfy { $0.name == "mail" })
      #expect(try events.compactMap { try $0.json() } == mails.reversed())

      let (signals, signal) = AsyncStream.makeStream(of: Void.self)
      async let resumed = stack.notifications.stream("/emails/stream", lastEventID: events[24].id) { reader in
        defer { signal.finish() }
        let rest = try await reader.next(15)
        signal.finish()
        return (rest: rest, afterwards: try await reader.next())
      }
      for await _ in signals {}
      #expect(try await stack.stop() == 0)
      let (rest, afterwards) = try await resumed
      #expect(rest == events.suffix(15))
      #expect(afterwards == nil)
    }
  }
}

private func placeTwentyOrders(on stack: RunningStack) async throws {
  for number in 0..<20 {
    let placed = try await stack.orders.send(
      "POST", "/orders",
      json: """
        {"customer_id":"c-\(number)","items":[{"product_id":"keyboard","quantity":1,"unit_price":5}]}
        """)
    #expect(placed.status == 201)
  }
}

extension EventStreamReader {
  /// The next `count` events; fewer when the stream ends before.
  fileprivate mutating func next(_ count: Int) async throws -> [ReceivedEvent] {
    var events: [ReceivedEvent] = []
    while events.count < count, let event = try await next() { events.append(event) }
    return events
  }
}
