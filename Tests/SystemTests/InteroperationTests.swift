import EventSchema
import Foundation
import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// Clients that share no code with us: kcat, and confluent-kafka as a tutorial uses it.
  @Suite struct InteroperationTests {
    @Test(.timeLimit(.minutes(6)))
    func kcatAndPythonReadOrdersAndWhatTheyWriteIsHandled() async throws {
      let stack = try await RunningStack()
      try await stack.stock("keyboard", onHand: 10)
      let placed = try await stack.orders.send(
        "POST", "/orders",
        json: #"{"customer_id":"ada","items":[{"product_id":"keyboard","quantity":2,"unit_price":49.90}]}"#)
      let order = try #require(try placed.json()["order_id"]?.string)
      _ = try await stack.orders.get("/orders/\(order)?wait=30&until=settled")

      let kcat = try #require(ChildProcess.find("kcat"), "kcat is not installed")
      let (types, output) = try await eventually("both events of \(order) on orders") {
        let read = try await ChildProcess.run(
          kcat, ["-C", "-b", stack.bootstrapServers, "-t", "orders", "-o", "beginning", "-e", "-q", "-f", "%k|%s\\n"])
        let lines = read.output.split(separator: "\n").filter { $0.hasPrefix(order + "|") }
        let types = try lines.map { line in
          try JSONValue(parsing: Array(line.dropFirst(order.count + 1).utf8)).object?["event_type"]?.string
        }
        return types.count >= 2 ? (types, read.output) : nil
      }
      #expect(types == ["ORDER_CREATED", "ORDER_CONFIRMED"], "\(output)")

      let python = try await PythonEnvironment.python(with: "confluent_kafka", of: "confluent-kafka")
      let consumer = try await ChildProcess.run(
        python,
        [script("consumer.py"), stack.bootstrapServers, "tutorial-\(order)", order, "ORDER_CREATED", "ORDER_CONFIRMED"])
      #expect(consumer.status == 0, "\(consumer.output)")
      #expect(consumer.output.contains("ORDER_CREATED 99.8 ['keyboard']"))

      try await aForeignOrderIsReserved(
        written: { key, value in
          let producer = try await ChildProcess.run(
            python, [script("producer.py"), stack.bootstrapServers, "orders", key], input: value)
          #expect(producer.status == 0, "\(producer.output)")
        }, on: stack)
      try await aForeignOrderIsReserved(
        written: { key, value in
          let producer = try await ChildProcess.run(
            kcat, ["-P", "-b", stack.bootstrapServers, "-t", "orders", "-k", key, "-X", "partitioner=murmur2_random"],
            input: value)
          #expect(producer.status == 0, "\(producer.output)")
        }, on: stack)
      _ = try await stack.stop()
    }

    /// An order that OrderService never had: its reservation is made all the same, and is listed as foreign.
    private func aForeignOrderIsReserved(
      written produce: (String, [UInt8]) async throws -> Void, on stack: RunningStack
    ) async throws {
      let order = "foreign-\(UUID().uuidString.lowercased())"
      let value = """
        {"event_id":"event-\(order.suffix(36))","event_type":"ORDER_CREATED","schema_version":1,"order_id":"\(order)",\
        "order_version":1,"customer_id":"grace","items":[{"product_id":"keyboard","quantity":1,"unit_price":1.50}],\
        "total":1.50,"timestamp":"2026-11-22T21:21:07+01:00","unknown_to_us":{"ignored":true}}
        """
      try await produce(order, Array(value.utf8))
      let reservation = try await eventually("a reservation for \(order)") {
        let answer = try await stack.inventory.get("/reservations/\(order)")
        return answer.status == 200 ? try answer.json() : nil
      }
      #expect(reservation["status"]?.string == "RESERVED")
      _ = try await eventually("a mail for \(order)") {
        let mails = try await stack.notifications.all("/emails?order_id=\(order)", "emails")
        return mails.count == 1 ? true : nil
      }
    }

    @Test(.timeLimit(.minutes(3)))
    func aRecordInTheShapeOfATutorialIsADeadLetterThatNamesTheField() async throws {
      let stack = try await RunningStack()
      let kcat = try #require(ChildProcess.find("kcat"), "kcat is not installed")
      let key = "tutorial-\(UUID().uuidString.lowercased())"
      let value = #"{"order_id":"\#(key)","customer_id":"c","items":["keyboard"],"event_type":"ORDER_CREATED"}"#
      let producer = try await ChildProcess.run(
        kcat, ["-P", "-b", stack.bootstrapServers, "-t", "orders", "-k", key, "-X", "partitioner=murmur2_random"],
        input: Array(value.utf8))
      #expect(producer.status == 0, "\(producer.output)")

      for service in [stack.inventory, stack.notifications] {
        let letter = try await eventually("a dead letter for \(key)") {
          try await service.all("/dead-letters?status=open", "dead_letters").first {
            $0["original_key"]?.string == key
          }
        }
        #expect(letter["error"]?.string?.contains("event_id") == true, "\(letter)")
      }
      let published = try await eventually("two dead letters on orders-dlq") {
        let read = try await ChildProcess.run(
          kcat,
          ["-C", "-b", stack.bootstrapServers, "-t", "orders-dlq", "-o", "beginning", "-e", "-q", "-f", "%k|%s\\n"])
        let lines = read.output.split(separator: "\n").filter { $0.hasPrefix(key + "|") }
        return lines.count >= 2 ? lines : nil
      }
      let groups = try Set(
        published.map { line in
          let letter = try JSONValue(parsing: Array(line.dropFirst(key.count + 1).utf8)).object
          #expect(letter?["original_message"]?.object?["customer_id"]?.string == "c")
          #expect(letter?["original_message_base64"]?.string == Data(value.utf8).base64EncodedString())
          return letter?["consumer_group"]?.string
        })
      #expect(groups == ["inventory-service", "notification-service"])
      _ = try await stack.stop()
    }
  }
}

private func script(_ name: String) -> String {
  packageRoot.appendingPathComponent("Tests/SystemTests/Interoperation/\(name)").path
}
