import EventSchema
import Foundation
import HTTPTypes
import HummingbirdTesting
import Messaging
import TestSupport
import Testing
import WireFormat

@testable import ServiceDefaults

@Suite struct DeadLetterRoutesTests {
  private let broker = InMemoryBroker()

  @Test func aDeadLetterIsShownWithItsExactRecordAndWhatWaitsBehindIt() async throws {
    let service = try failing(at: "e-1")
    try await service.runOnceReady { client in
      try broker.write("no \u{1F4A5} JSON", key: "o-9", to: "orders")
      try publish(order: "o-1", versions: 1...3)
      let unreadable = try await letter(ofKey: "o-9", client)
      let shown = try await client.get("/dead-letters/\(unreadable)").json()
      #expect(shown["original_message_base64"]?.string == Data("no \u{1F4A5} JSON".utf8).base64EncodedString())
      #expect(shown["original_message"]?.isNull == true && shown["original_key_base64"]?.string == "by05")
      #expect(shown["parked"]?.array?.isEmpty == true && shown["audit"]?.array?.isEmpty == true)

      let failed = try await letter(ofKey: "o-1", client)
      let detail = try await eventually("two parked records") {
        let detail = try await client.get("/dead-letters/\(failed)").json()
        return detail["parked"]?.array?.count == 2 ? detail : nil
      }
      #expect(detail["original_message"]?.object?["event_id"]?.string == "e-1")
      #expect(detail["original_headers"]?.array?.isEmpty == true && detail["parked_count"]?.number?.int64 == 2)
      for id in ["99", "0", "x", "-1", "%20"] {
        #expect(try await client.get("/dead-letters/\(id)").status == .notFound, "\(id)")
      }
    }
  }

  /// Pitfall 21.
  @Test func aRedriveOfWhatIsNotFixedCountsUpAndStaysOpen() async throws {
    let service = try failing(at: "e-1")
    try await service.runOnceReady { client in
      try publish(order: "o-1", versions: 1...1)
      let id = try await letter(ofKey: "o-1", client)
      for redrives in [1, 2] as [Int64] {
        let answer = try await client.send(.post, "/dead-letters/\(id)/redrive", #"{"reason":"perhaps now"}"#)
        #expect(answer.status == .ok)
        #expect(try answer.json()["outcome"]?.string == "failed_again")
        let letter = try answer.json()["dead_letter"]?.object
        #expect(letter?["redrives"]?.number?.int64 == redrives && letter?["status"]?.string == "open")
        #expect(letter?["error"]?.string?.contains("told to fail") == true)
      }
      let audit = try await client.get("/dead-letters/\(id)").json()["audit"]?.array ?? []
      #expect(audit.map { $0.object?["outcome"]?.string } == ["failed_again", "failed_again"])
      #expect(audit.first?.object?["requester"]?.string == "anonymous")
      #expect(audit.first?.object?["reason"]?.string == "perhaps now")
    }
  }

  @Test func aRedriveIsInEffectOnceHoweverManyAskAtOnce() async throws {
    let service = try failing(at: "e-1")
    try await service.runOnceReady { client in
      try publish(order: "o-1", versions: 1...2)
      let id = try await letter(ofKey: "o-1", client)
      service.effects.fail(at: [])

      let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 1...10 {
          group.addTask {
            try await client.send(.post, "/dead-letters/\(id)/redrive").json()["outcome"]?.string ?? "none"
          }
        }
        return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
      }

      #expect(outcomes == ["resolved": 1, "already_resolved": 9])
      #expect(service.effects.handled == ["e-1", "e-2"])
      #expect(try await client.get("/parked").json()["parked"]?.array?.isEmpty == true)
      let discard = try await client.send(.post, "/dead-letters/\(id)/discard", #"{"reason":"late"}"#)
      #expect(discard.status == .conflict && discard.headers[.contentType] == "application/problem+json")
    }
  }

  @Test func aDiscardWantsAReasonAndFreesWhatWaitsBehindIt() async throws {
    let service = try failing(at: "e-1")
    try await service.runOnceReady { client in
      try publish(order: "o-1", versions: 1...2)
      let id = try await letter(ofKey: "o-1", client)
      let long = String(repeating: "x", count: 501)
      for body in ["{}", #"{"reason":""}"#, #"{"reason":7}"#, #"{"reason":"\#(long)"}"#, #"{"reason":"a\u0007b"}"#] {
        let refused = try await client.send(.post, "/dead-letters/\(id)/discard", body)
        #expect(refused.status == .unprocessableContent, "\(body)")
        #expect(try refused.pointers() == ["/reason"])
      }
      #expect(try await client.send(.post, "/dead-letters/\(id)/discard", "{").status == .badRequest)
      #expect(try await client.send(.post, "/dead-letters/99/discard", #"{"reason":"x"}"#).status == .notFound)
      #expect(try await client.send(.post, "/dead-letters/99/redrive").status == .notFound)
      #expect(service.effects.handled.isEmpty)

      let answer = try await client.send(.post, "/dead-letters/\(id)/discard", #"{"reason":"a test"}"#)
      #expect(try answer.json()["outcome"]?.string == "discarded")
      #expect(try answer.json()["dead_letter"]?.object?["reason"]?.string == "a test")
      #expect(service.effects.handled == ["e-2"])

      let again = try await client.send(.post, "/dead-letters/\(id)/discard", #"{"reason":"other"}"#)
      #expect(try again.json()["outcome"]?.string == "already_discarded")
      let redrive = try await client.send(.post, "/dead-letters/\(id)/redrive")
      #expect(redrive.status == .conflict)
      #expect(try redrive.json()["detail"]?.string?.contains("a test") == true)
    }
  }

  @Test func aGapIsGivenUpByItsKey() async throws {
    let service = try failing(at: "e-1")
    try await service.runOnceReady { client in
      try broker.write(orderCreated(order: "o-2", event: "late", version: 3), to: "orders")
      try publish(order: "o-1", versions: 1...2)
      let id = try await letter(ofKey: "o-1", client)
      _ = try await eventually("the gap") {
        try await client.get("/parked?order_id=o-2").json()["parked"]?.array?.first
      }

      let inTheWay = try await client.send(.post, "/parked/o-1/discard", #"{"reason":"x"}"#)
      #expect(inTheWay.status == .conflict)
      #expect(try inTheWay.json()["dead_letter_id"]?.number?.int64 == id)
      #expect(try await client.send(.post, "/parked/o-2/discard", "{}").status == .unprocessableContent)
      #expect(try await client.send(.post, "/parked/o-3/discard", #"{"reason":"x"}"#).status == .notFound)

      let answer = try await client.send(.post, "/parked/o-2/discard", #"{"reason":"never sent"}"#).json()
      #expect(answer["first_version"]?.number?.int64 == 1 && answer["last_version"]?.number?.int64 == 2)
      #expect(service.effects.handled == ["late"])
      #expect(try await client.send(.post, "/parked/o-2/discard", #"{"reason":"x"}"#).status == .notFound)
    }
  }

  @Test func theAuditNamesTheTokenThatAsked() async throws {
    let service = try failing(at: "e-1")
    let tokens = try AccessTokens(parsing: "secret:operate,looker:read")
    try await service.runOnceReady(access: AccessControl(tokens: tokens)) { client in
      try publish(order: "o-1", versions: 1...1)
      let id = try await letter(ofKey: "o-1", client, token: "looker")
      #expect(try await client.send(.post, "/dead-letters/\(id)/redrive", token: "looker").status == .forbidden)
      #expect(try await client.send(.post, "/dead-letters/\(id)/redrive", token: "secret").status == .ok)
      let audit = try await client.send(.get, "/dead-letters/\(id)", token: "secret").json()["audit"]?.array
      #expect(audit?.map { $0.object?["requester"]?.string } == ["2bb80d53"])
    }
  }

  @Test func gaugesTellWhatNeedsAPerson() async throws {
    let service = try failing(at: "e-1")
    try await service.runOnceReady { client in
      try publish(order: "o-1", versions: 1...3)
      _ = try await letter(ofKey: "o-1", client)
      try broker.write(orderCreated(order: "o-2", event: "late", version: 3), to: "orders")
      let registry = PrometheusRegistry()
      let gauges = BacklogGauges(
        inbox: service.messaging.inbox, outbox: service.outbox, metrics: registry,
        now: { .now() + .seconds(600) })
      let text = try await eventually("three parked records and a gap") {
        await gauges.refresh()
        let text = registry.render()
        return text.contains(#"messaging_parked_records{group="example-service"} 3"#) ? text : nil
      }
      #expect(text.contains(#"messaging_open_dead_letters{group="example-service"} 1"#))
      #expect(text.contains(#"messaging_gaps{group="example-service"} 1"#))
      #expect(text.contains("outbox_unpublished_messages "))
      let age = text.split(separator: "\n").first { $0.hasPrefix("messaging_oldest_gap_age_seconds{") }
      #expect((Double(age?.split(separator: " ").last ?? "") ?? 0) >= 599)
    }
  }

  private func failing(at event: String) throws -> ExampleService {
    let service = try ExampleService(broker: broker)
    service.effects.fail(at: [event])
    return service
  }

  private func publish(order: String, versions: ClosedRange<Int64>) throws {
    for version in versions {
      try broker.write(orderCreated(order: order, event: "e-\(version)", version: version), to: "orders")
    }
  }

  /// Waits for the open dead letter of a key, and for what has been published behind it.
  private func letter(
    ofKey key: String, _ client: any TestClientProtocol, token: String? = nil
  ) async throws -> Int64 {
    let published = broker.records(of: "orders").filter { $0.key == Array(key.utf8) }.count
    return try await eventually("a dead letter of \(key), and \(published - 1) parked records") {
      let letters = try await client.send(.get, "/dead-letters?status=open&key=\(key)", token: token).json()
      let parked = try await client.send(.get, "/parked?order_id=\(key)", token: token).json()
      guard parked["parked"]?.array?.count == published - 1 else { return nil }
      return letters["dead_letters"]?.array?.first?.object?["id"]?.number?.int64
    }
  }
}
