import HTTPTypes
import HummingbirdTesting
import Messaging
import TestSupport
import Testing
import WireFormat

@testable import ServiceDefaults

@Suite struct OutboxReplayTests {
  @Test func whatWasPublishedIsPublishedAgainStepByStep() async throws {
    let broker = InMemoryBroker()
    let service = try ExampleService(broker: broker)
    try await service.run { client in
      for index in 1...5 {
        try await service.append(try orderCreated(order: "o-\(index % 2)", event: "e-\(index)", version: 1))
      }
      try await published(5, on: broker)
      try await allMarked(client)

      let dry = try await client.send(.post, "/outbox/replay", #"{"dry_run":true}"#).json()
      #expect(dry["rows"]?.number?.int64 == 5 && dry["next_cursor"]?.isNull == true)
      let ofOrder = try await client.send(.post, "/outbox/replay", #"{"order_id":"o-0","dry_run":true}"#).json()
      #expect(ofOrder["rows"]?.number?.int64 == 2)
      let later = try await client.send(
        .post, "/outbox/replay", #"{"since":"2100-01-01T00:00:00Z","dry_run":true}"#
      ).json()
      #expect(later["rows"]?.number?.int64 == 0)
      #expect(broker.records(of: "orders").count == 5)

      var rows: Int64 = 0
      var cursor: String?
      repeat {
        let body = cursor.map { #"{"limit":2,"cursor":"\#($0)"}"# } ?? #"{"limit":2}"#
        let step = try await client.send(.post, "/outbox/replay", body).json()
        rows += step["rows"]?.number?.int64 ?? 0
        cursor = step["next_cursor"]?.string
      } while cursor != nil

      #expect(rows == 5)
      try await published(10, on: broker)
    }
  }

  @Test func whatIsPublishedAfterTheBeginIsNotPartOfIt() async throws {
    let broker = InMemoryBroker()
    let service = try ExampleService(broker: broker)
    try await service.run { client in
      try await service.append(try orderCreated(order: "o-1", event: "e-1", version: 1))
      try await published(1, on: broker)
      try await allMarked(client)
      let begun = try await client.send(.post, "/outbox/replay", #"{"limit":0}"#).json()
      #expect(begun["rows"]?.number?.int64 == 0)
      let cursor = try #require(begun["next_cursor"]?.string)
      // What is published in the millisecond of the begin is part of it.
      let begin = Timestamp.now()
      _ = try await eventually("a later millisecond", every: .milliseconds(1)) { Timestamp.now() > begin ? true : nil }
      try await service.append(try orderCreated(order: "o-2", event: "e-2", version: 1))
      try await published(2, on: broker)
      try await allMarked(client)

      let step = try await client.send(.post, "/outbox/replay", #"{"cursor":"\#(cursor)"}"#).json()
      #expect(step["rows"]?.number?.int64 == 1 && step["next_cursor"]?.isNull == true)
      try await published(3, on: broker)
    }
  }

  @Test func whatCannotBeMeantIsRefused() async throws {
    try await ExampleService(broker: InMemoryBroker()).answer { client in
      let cases = [
        (#"{"since":"yesterday"}"#, "/since"), (#"{"since":7}"#, "/since"), (#"{"order_id":""}"#, "/order_id"),
        (#"{"limit":-1}"#, "/limit"), (#"{"limit":"all"}"#, "/limit"), (#"{"dry_run":"yes"}"#, "/dry_run"),
        (#"{"cursor":"x"}"#, "/cursor"), (#"{"cursor":"b3V0Ym94HzE"}"#, "/cursor"),
      ]
      for (body, pointer) in cases {
        let answer = try await client.send(.post, "/outbox/replay", body)
        #expect(answer.status == .unprocessableContent, "\(body)")
        #expect(try answer.pointers() == [pointer], "\(body)")
      }
      let empty = try await client.send(.post, "/outbox/replay")
      #expect(try empty.json()["rows"]?.number?.int64 == 0)
    }
  }

  private func published(_ count: Int, on broker: InMemoryBroker) async throws {
    _ = try await eventually("\(count) records") { broker.records(of: "orders").count >= count ? true : nil }
    #expect(broker.records(of: "orders").count == count)
  }

  private func allMarked(_ client: any TestClientProtocol) async throws {
    _ = try await eventually("marks") {
      try await client.get("/outbox").json()["status"]?.object?["unpublished"]?.number?.int64 == 0 ? true : nil
    }
  }
}
