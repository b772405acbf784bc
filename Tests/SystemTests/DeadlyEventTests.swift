import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// An event that ends every process that handles it.
  @Suite struct DeadlyEventTests {
    @Test(.timeLimit(.minutes(4)))
    func anEventThatKillsItsServiceIsADeadLetterInTheEndAndNobodyElseIsHeldUp() async throws {
      let folder = try temporaryFolder()
      let stack = try await RunningStack(
        folder: folder, environment: ["FAILPOINTS": "NotificationService:worker.handle[\(Self.deadly)]=crash"])
      try await stack.stock("lamp", onHand: 10)
      let writer = try TopicWriter(stack)
      try writer.write(Self.event, key: Self.order)
      writer.close()

      let letter = try await eventually("the deadly event as a dead letter", within: .seconds(120)) {
        // The service is away while it is started again.
        try? await stack.notifications.all("/dead-letters?status=open", "dead_letters").first
      }
      #expect(letter["event_id"]?.string == Self.deadly)
      #expect(letter["attempts"]?.number?.int64 == 3)
      #expect(letter["error"]?.string?.contains("died") == true)
      let deaths = stack.up.text.split(separator: "\n").count { $0.contains("NotificationService ended (") }
      #expect(deaths == 3)

      let placed = try await stack.tool("order", "--customer", "c", "--item", "lamp:1:5", "--wait")
      #expect(placed.status == 0 && placed.output.contains("CONFIRMED"), "\(placed.output)")
      #expect(try await stack.stop() == 0)
    }

    private static let deadly = "0198aaaa-0000-7000-8000-000000000001"
    private static let order = "0198aaaa-0000-7000-8000-000000000002"
    private static let event = """
      {"event_id":"\(deadly)","event_type":"ORDER_CREATED","schema_version":1,"order_id":"\(order)","order_version":1,\
      "customer_id":"c","items":[{"product_id":"lamp","quantity":1,"unit_price":5}],"total":5,\
      "timestamp":"2026-11-22T20:21:07.123Z"}
      """
  }
}
