import EventSchema
import Foundation
import GRDB
import Logging
import Messaging
import MessagingKafka
import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// Dead letters, gaps and replays, as whoever operates the system deals with them.
  @Suite struct RedriveTests {
    /// Pitfalls 19 and 21: a failed event, its successor behind it, and redrives before and after the cause is gone.
    @Test(.timeLimit(.minutes(4)))
    func whatFailedIsRedrivenOnceInItsGroupAndWhatWaitedFollows() async throws {
      let folder = try temporaryFolder()
      let order = try await anOrderThatEveryGroupFailsAt(in: folder)

      let stack = try await RunningStack(folder: folder)
      let letters = try await deadLetters(stack, "--status", "open")
      #expect(letters.map { $0["redrives"]?.number?.int64 } == [1, 1])
      let outcomes = try await redriveTenTimesAtOnce(letters[0], of: stack.inventory)
      #expect(outcomes == ["resolved": 1, "already_resolved": 9])

      let rest = try await stack.tool("dlq", "redrive", "--all", "--rate", "100", "--reason", "the cause is gone")
      #expect(rest.status == 0 && rest.output.contains("1 resolved"), "\(rest.output)")
      let parked = try await stack.inventory.all("/parked", "parked")
      #expect(parked.isEmpty, "\(parked)")
      let shown = try await stack.tool("dlq", "show", "notification-service/1")
      #expect(shown.output.contains("redrive by anonymous, failed_again"), "\(shown.output)")
      #expect(shown.output.contains("redrive by anonymous, resolved: the cause is gone"), "\(shown.output)")

      let mails = try await stack.notifications.all("/emails?order_id=\(order)", "emails")
      #expect(Set(mails.compactMap { $0["kind"]?.string }) == ["ORDER_CREATED", "ORDER_CANCELLED"])
      #expect(mails.count == 2)
      let product = try await stack.inventory.get("/products/lamp").json()
      #expect(product["reserved"]?.number?.int64 == 0 && product["on_hand"]?.number?.int64 == 10)
      let verdict = try await stack.tool("verify")
      #expect(verdict.status == 0, "\(verdict.output)")
      #expect(try await stack.stop() == 0)
    }

    /// Its creation is a dead letter of both groups after an attempt that had written its effect; its cancellation waits.
    private func anOrderThatEveryGroupFailsAt(in folder: URL) async throws -> String {
      let stack = try await RunningStack(
        folder: folder,
        environment: [
          "FAILPOINTS": "worker.after-effect=fail", "RETRY_INITIAL_BACKOFF_MS": "5", "RETRY_MAX_BACKOFF_MS": "10",
        ])
      try await stack.stock("lamp", onHand: 10)
      let placed = try await stack.orders.send(
        "POST", "/orders", json: #"{"customer_id":"c","items":[{"product_id":"lamp","quantity":1,"unit_price":5}]}"#)
      let order = try #require(try placed.json()["order_id"]?.string)
      let cancelled = try await stack.orders.send("POST", "/orders/\(order)/cancel", json: #"{"reason":"too late"}"#)
      #expect(cancelled.status == 200)
      try await parked(of: order, at: [stack.inventory, stack.notifications])

      let list = try await stack.tool("dlq", "list")
      #expect(
        list.status == 0 && list.output.contains("order \(order), 1 event (version 2), waiting behind"), "\(list)")
      let planned = try await stack.tool("dlq", "redrive", "--key", order, "--dry-run")
      #expect(planned.status == 0 && planned.output.contains("2 would be redriven"), "\(planned.output)")
      let failed = try await stack.tool("dlq", "redrive", "--error", "worker.after-effect")
      #expect(failed.status == 1 && failed.output.contains("2 failed again"), "\(failed.output)")
      let unsaid = try await stack.tool("dlq", "redrive")
      #expect(unsaid.status == 64, "\(unsaid.output)")
      try await published(4, on: "orders-dlq", of: stack)
      #expect(try await stack.stop() == 0)
      return order
    }

    private func redriveTenTimesAtOnce(
      _ letter: JSONObject, of service: ServiceClient
    ) async throws -> [String: Int] {
      let id = try #require(letter["id"]?.string?.split(separator: "/").last)
      return try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 1...10 {
          group.addTask {
            let answer = try await service.send("POST", "/dead-letters/\(id)/redrive", json: "{}")
            return try answer.json()["outcome"]?.string ?? "\(answer.status)"
          }
        }
        return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
      }
    }

    /// Pitfall 17, and what the command line can do about it, on a stack that wants tokens.
    @Test(.timeLimit(.minutes(4)))
    func garbageIsDiscardedAndAGapIsMended() async throws {
      let stack = try await RunningStack(
        environment: ["API_TOKENS": "all:orders+read+stock+operate,looker:read"], token: "all")
      try await garbageBecomesDeadLetters(on: stack)
      try await aDiscardFreesWhatWaits(on: stack)
      let verdict = try await stack.tool("verify")
      #expect(verdict.status == 0, "\(verdict.output)")
      try await aGapIsMendedByAReplay(on: stack)
      try await whatHasNeverComeIsGivenUp(on: stack)
      try await tokensAreWanted(by: stack)
      #expect(try await stack.stop() == 0)
    }

    private func garbageBecomesDeadLetters(on stack: RunningStack) async throws {
      let writer = try TopicWriter(stack)
      try writer.write(nil, key: "null-value")
      try writer.write("{not JSON", key: "not-json")
      try writer.write(event("poison", order: "foreign-1", version: 1, schema: 99), key: "foreign-1")
      try writer.write(event("later", order: "foreign-1", version: 2), key: "foreign-1")
      writer.close()
      try await parked(of: "foreign-1", at: [stack.inventory, stack.notifications])

      _ = try await eventually("three dead letters of each group") {
        try await deadLetters(stack, "--status", "open").count == 6 ? true : nil
      }
      try await published(6, on: "orders-dlq", of: stack)
      let letter = try await deadLetters(stack, "--key", "null-value").compactMap { $0["id"]?.string }
        .first { $0.hasPrefix("inventory-service/") }
      let shown = try await stack.tool("dlq", "show", try #require(letter))
      #expect(shown.status == 0 && shown.output.contains("(null)"), "\(shown.output)")
      let ambiguous = try await stack.tool("dlq", "show", "1")
      #expect(ambiguous.status == 1 && ambiguous.output.contains("several groups"), "\(ambiguous.output)")
      let unknown = try await stack.tool("dlq", "show", "99")
      #expect(unknown.status == 1, "\(unknown.output)")
    }

    private func aDiscardFreesWhatWaits(on stack: RunningStack) async throws {
      let redriven = try await stack.tool("dlq", "redrive", "--key", "foreign-1")
      #expect(redriven.status == 1 && redriven.output.contains("2 failed again"), "\(redriven.output)")
      let open = try await deadLetters(stack, "--status", "open", "--key", "foreign-1")
      #expect(open.map { $0["redrives"]?.number?.int64 } == [1, 1])
      #expect(try await mails(of: "foreign-1", on: stack) == [])

      let discarded = try await stack.tool("dlq", "discard", "--key", "foreign-1", "--reason", "written by hand")
      #expect(discarded.status == 0 && discarded.output.contains("2 discarded"), "\(discarded.output)")
      #expect(try await mails(of: "foreign-1", on: stack) == ["ORDER_CANCELLED"])
      let all = try await stack.tool("dlq", "discard", "--all", "--reason", "garbage")
      #expect(all.status == 0 && all.output.contains("4 discarded"), "\(all.output)")
      #expect(try await deadLetters(stack, "--status", "open").isEmpty)
      #expect(try await deadLetters(stack, "--status", "discarded").count == 6)
    }

    /// The outbox says that an event was published, and the topic does not have it.
    private func aGapIsMendedByAReplay(on stack: RunningStack) async throws {
      try claimPublished(event("lost", order: "foreign-2", version: 1), order: "foreign-2", in: stack)
      let writer = try TopicWriter(stack)
      try writer.write(event("next", order: "foreign-2", version: 2), key: "foreign-2")
      writer.close()
      try await parked(of: "foreign-2", at: [stack.inventory, stack.notifications])
      let list = try await stack.tool("dlq", "list")
      #expect(
        list.output.contains("order foreign-2, 1 event (version 2), waiting for version 1 since"), "\(list.output)")
      let metrics = try await stack.inventory.get("/metrics")
      #expect(String(decoding: metrics.body, as: UTF8.self).contains(#"messaging_gaps{group="inventory-service"} 1"#))

      let planned = try await stack.tool("outbox", "replay", "--order", "foreign-2", "--dry-run")
      #expect(planned.status == 0 && planned.output.contains("1 event would be"), "\(planned.output)")
      // At one a second InventoryService has answered long before its own outbox is replayed.
      let replayed = try await stack.tool("outbox", "replay", "--order", "foreign-2", "--rate", "1")
      #expect(replayed.status == 0 && replayed.output.contains("1 event published again"), "\(replayed.output)")
      _ = try await eventually("both mails of foreign-2") {
        try await mails(of: "foreign-2", on: stack).count == 2 ? true : nil
      }
      _ = try await eventually("nothing parked at InventoryService") {
        try await stack.inventory.all("/parked?order_id=foreign-2", "parked").isEmpty ? true : nil
      }
      let status = try await stack.tool("outbox", "status", "--json")
      let outboxes = try JSONValue(parsing: Array(status.output.utf8)).object?["outboxes"]?.array
      #expect(outboxes?.count == 3, "\(status.output)")
    }

    private func whatHasNeverComeIsGivenUp(on stack: RunningStack) async throws {
      let writer = try TopicWriter(stack)
      try writer.write(event("far", order: "foreign-2", version: 4), key: "foreign-2")
      writer.close()
      try await parked(of: "foreign-2", at: [stack.inventory, stack.notifications])

      let discarded = try await stack.tool("dlq", "discard", "--key", "foreign-2", "--reason", "it was never written")
      #expect(discarded.status == 0 && discarded.output.contains("2 gaps given up"), "\(discarded.output)")
      #expect(try await stack.inventory.all("/parked", "parked").isEmpty)
    }

    private func tokensAreWanted(by stack: RunningStack) async throws {
      let nobody = ServiceClient(base: stack.orders.base)
      let refused = try await nobody.get("/orders")
      #expect(refused.status == 401 && refused.header("www-authenticate")?.hasPrefix("Bearer") == true)
      #expect(try await nobody.get("/health").status == 200)
      #expect(try await nobody.get("/metrics").status == 200)
      let looker = ServiceClient(base: stack.orders.base, token: "looker")
      #expect(try await looker.get("/orders").status == 200)
      #expect(try await looker.send("POST", "/outbox/replay", json: "{}").status == 403)
      let tool = try await ChildProcess.run(
        BuiltProduct.url("orderflow"), ["dlq", "list", "--data-dir", stack.folder.path])
      #expect(tool.status == 1 && tool.output.contains("ORDERFLOW_TOKEN"), "\(tool.output)")
    }
  }
}

/// Waits until each of the services has parked one record of `order`.
private func parked(of order: String, at services: [ServiceClient]) async throws {
  for service in services {
    _ = try await eventually("a parked record of \(order)") {
      try await service.all("/parked?order_id=\(order)", "parked").count == 1 ? true : nil
    }
  }
}

/// What `dlq list --json` has, by group.
private func deadLetters(_ stack: RunningStack, _ options: String...) async throws -> [JSONObject] {
  let listed = try await ChildProcess.run(
    BuiltProduct.url("orderflow"), ["dlq", "list", "--json", "--data-dir", stack.folder.path] + options,
    environment: stack.token.map { ["ORDERFLOW_TOKEN": $0] } ?? [:])
  let letters = try JSONValue(parsing: Array(listed.output.utf8)).object?["dead_letters"]?.array
  return try #require(letters, "\(listed.output)").compactMap(\.object)
}

private func mails(of order: String, on stack: RunningStack) async throws -> [String] {
  try await stack.notifications.all("/emails?order_id=\(order)", "emails").compactMap { $0["kind"]?.string }
}

/// Waits until a topic has `count` records.
private func published(_ count: Int, on topic: String, of stack: RunningStack) async throws {
  let broker = KafkaBroker(
    configuration: KafkaConfiguration(bootstrapServers: stack.bootstrapServers), logger: silent)
  let reader = try broker.makeReader(topics: [topic], from: .earliest, timeout: .seconds(10))
  defer { reader.close() }
  var seen = 0
  _ = try await eventually("\(count) records on \(topic)") {
    seen += try reader.read(maximum: 100, timeout: .milliseconds(50)).count
    return seen >= count ? true : nil
  }
  #expect(seen == count)
}

/// An event of `orders` as a program of somebody else may write it.
private func event(_ id: String, order: String, version: Int, schema: Int = 1) -> String {
  let type = version == 1 ? "ORDER_CREATED" : "ORDER_CANCELLED"
  return """
    {"event_id":"\(id)-\(order)","event_type":"\(type)","schema_version":\(schema),"order_id":"\(order)",\
    "order_version":\(version),"customer_id":"grace","items":[{"product_id":"nothing","quantity":1,"unit_price":1.50}],\
    "total":1.50,"reason":"by hand","timestamp":"2026-11-22T21:21:07Z"}
    """
}

/// Puts a row into OrderService's outbox that is marked as published, and was not.
private func claimPublished(_ value: String, order: String, in stack: RunningStack) throws {
  var configuration = Configuration()
  configuration.busyMode = .timeout(10)
  let store = try DatabaseQueue(
    path: stack.folder.appendingPathComponent("order-service.sqlite").path, configuration: configuration)
  try store.write { database in
    let now = Timestamp.now().millisecondsSinceEpoch
    try database.execute(
      sql: """
        INSERT INTO outbox_messages (created_at, event_id, event_type, topic, message_key, headers, message_value)
        VALUES (?, ?, 'ORDER_CREATED', 'orders', CAST(? AS BLOB), x'00', CAST(? AS BLOB))
        """,
      arguments: [now, "lost-\(order)", order, value])
    try database.execute(
      sql: """
        INSERT INTO outbox_publications (
          sequence, published_at, published_partition, published_offset, publish_epoch)
        VALUES (?, ?, 0, 0, 1)
        """,
      arguments: [database.lastInsertedRowID, now])
  }
  try store.close()
}

private let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
