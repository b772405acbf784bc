import Foundation
import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// `Idempotency-Key` with two OrderService processes over one store. Orders are taken without a broker, so none is
  /// started.
  @Suite struct IdempotencyTests {
    @Test(.timeLimit(.minutes(2)))
    func fiftyRequestsOverTwoProcessesWithOneKeyMakeOneOrder() async throws {
      let store = try temporaryFolder().appendingPathComponent("orders.sqlite").path
      let services = [try await OneService(store: store), try await OneService(store: store)]

      for round in 0..<5 {
        let answers = try await withThrowingTaskGroup(of: ServiceAnswer.self) { group in
          for number in 0..<50 {
            group.addTask { try await services[number % 2].place(customer: "c-\(round)", key: "key-\(round)") }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }

        #expect(answers.allSatisfy { $0.status == 201 })
        #expect(Set(answers.map(\.body)).count == 1)
        #expect(Set(answers.map { $0.header("location") }).count == 1)
        #expect(answers.count { $0.header("idempotency-replayed") == nil } == 1)
        #expect(try await services[0].orders(of: "c-\(round)") == 1)
      }
      let other = try await services[1].place(customer: "somebody-else", key: "key-0")
      #expect(other.status == 422 && other.header("content-type") == "application/problem+json")
      for service in services { #expect(try await service.stop() == 0) }
    }

    @Test(.timeLimit(.minutes(2)))
    func aRetryAfterAKillBetweenCommitAndAnswerGetsTheAnswerThatWasLost() async throws {
      let store = try temporaryFolder().appendingPathComponent("orders.sqlite").path
      let killed = try await OneService(store: store, environment: ["FAILPOINTS": "order.after-commit=crash@1"])
      let other = try await OneService(store: store)

      await #expect(throws: (any Error).self) { try await killed.place(customer: "c", key: "k") }
      #expect(try await killed.process.waitForExit() == 128 + SIGKILL)

      let retried = try await other.place(customer: "c", key: "k")
      let restarted = try await OneService(store: store)
      let again = try await restarted.place(customer: "c", key: "k")
      for answer in [retried, again] {
        #expect(answer.status == 201 && answer.header("idempotency-replayed") == "true")
      }
      #expect(retried.body == again.body)
      let order = try #require(try retried.json()["order_id"]?.string)
      #expect(try await restarted.client.get("/orders/\(order)").body == retried.body)
      #expect(try await restarted.orders(of: "c") == 1)
      let events = try await restarted.client.all("/outbox", "rows")
      #expect(events.count == 1)
      for service in [other, restarted] { #expect(try await service.stop() == 0) }
    }

    @Test(.timeLimit(.minutes(2)))
    func aKeyBelongsToItsToken() async throws {
      let store = try temporaryFolder().appendingPathComponent("orders.sqlite").path
      let service = try await OneService(
        store: store, environment: ["API_TOKENS": "token-of-ada:orders+read,token-of-bob:orders"])
      let (ada, bob) = (service.client(of: "token-of-ada"), service.client(of: "token-of-bob"))

      let answers = [
        try await service.place(customer: "c", key: "k", as: ada),
        try await service.place(customer: "c", key: "k", as: bob),
        try await service.place(customer: "c", key: "k", as: ada),
      ]

      #expect(answers.map(\.status) == [201, 201, 201])
      #expect(answers.map { $0.header("idempotency-replayed") } == [nil, nil, "true"])
      #expect(answers[0].body == answers[2].body && answers[0].body != answers[1].body)
      #expect(try await ada.all("/orders?customer_id=c", "orders").count == 2)
      #expect(try await service.stop() == 0)
    }
  }
}

/// An OrderService without a broker.
private struct OneService {
  let process: ChildProcess
  let client: ServiceClient

  init(store: String, environment: [String: String] = [:]) async throws {
    let port = try freePortBase()
    process = try ChildProcess(
      BuiltProduct.url("OrderService"),
      environment: [
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "HTTP_PORT": "\(port)", "DATABASE_PATH": store, "LOG_FORMAT": "json",
      ].merging(environment) { $1 })
    let client = ServiceClient(base: "http://127.0.0.1:\(port)")
    self.client = client
    _ = try await eventually("health of \(client.base); it said:\n\(process.text)") {
      (try? await client.get("/health"))?.status == 200 ? true : nil
    }
  }

  func client(of token: String) -> ServiceClient { ServiceClient(base: client.base, token: token) }

  func place(customer: String, key: String, as client: ServiceClient? = nil) async throws -> ServiceAnswer {
    try await (client ?? self.client).send(
      "POST", "/orders",
      json: #"{"customer_id":"\#(customer)","items":[{"product_id":"lamp","quantity":1,"unit_price":5}]}"#,
      headers: [("idempotency-key", key)])
  }

  func orders(of customer: String) async throws -> Int {
    try await client.all("/orders?customer_id=\(customer)", "orders").count
  }

  func stop() async throws -> Int32 {
    process.send(SIGTERM)
    return try await process.waitForExit(within: .seconds(15))
  }
}
