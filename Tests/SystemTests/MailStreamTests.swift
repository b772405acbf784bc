import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  @Suite struct MailStreamTests {
    @Test(.timeLimit(.minutes(3)))
    func everyMailIsOneEventWhicheverInstanceWroteItAndAStreamCanBeResumed() async throws {
      let stack = try await RunningStack(arguments: ["--instances", "2"])
      try await stack.stock("keyboard", onHand: 100)
      let stream = stack.notifications.base + "/emails/stream"
      let reader = try await EventReader(stream)

      for number in 0..<20 {
        let placed = try await stack.orders.send(
          "POST", "/orders",
          json: """
            {"customer_id":"c-\(number)","items":[{"product_id":"keyboard","quantity":1,"unit_price":5}]}
            """)
        #expect(placed.status == 201)
      }
      _ = try await eventually("forty mails") { reader.events.count >= 40 ? true : nil }

      let events = reader.events
      let mails = try await stack.notifications.all("/emails", "emails")
      #expect(events.allSatisfy { $0.name == "mail" })
      #expect(events.compactMap(\.data) == mails.reversed())
      let resumed = try await EventReader(stream, lastEventID: events[24].id)
      _ = try await eventually("the other fifteen") { resumed.events.count == 15 ? true : nil }
      #expect(resumed.events.map(\.id) == events.suffix(15).map(\.id))

      #expect(try await stack.stop() == 0)
      _ = try await eventually("the end of both streams", within: .seconds(1)) {
        reader.hasEnded && resumed.hasEnded ? true : nil
      }
    }
  }
}
