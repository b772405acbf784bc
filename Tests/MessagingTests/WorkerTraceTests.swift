import Synchronization
import Testing
import WireFormat

@testable import Messaging

/// Pitfall 28: what a handler tells belongs to the trace of the event that it handles, and of no other of its batch.
@Suite("Traces of deliveries")
struct WorkerTraceTests {
  private let operatorA = Requester(name: "operator-a", reason: nil)

  @Test func aHandlerGetsTheTraceOfItsOwnRecordHoweverItCameToIt() async throws {
    let world = try WorkerWorld(partitions: 1)
    let seen = SeenTraces()
    world.failure.set { event, delivery in
      seen.add(event.id, delivery)
      return event.id == "b1" && delivery.attempt == 1 || event.id == "c1" ? Ordered() : nil
    }
    let events: [TestEvent] = [
      .next("a", 1), .next("a", 3), .next("a", 4), .next("b", 1), .next("c", 1), .next("c", 2), .next("a", 2),
    ]
    try world.publish(events.map { $0.message(traceparent: traceparent(of: $0.id)) })
    let worker = world.worker()
    let loop = worker.makeLoop()

    for _ in 0..<10 {
      try loop.settle()
      world.advance(.seconds(1))
    }
    #expect(try world.effects() == ["a1", "b1", "a2", "a3", "a4"] && world.deadLetters() == ["c1"])
    world.failure.set { event, delivery in
      seen.add(event.id, delivery)
      return nil
    }
    #expect(try await worker.redrive(1, by: operatorA) == .resolved)

    #expect(try world.effects(of: "c") == ["c1", "c2"])
    // Once more for a success that shared its transaction with a failure.
    #expect(seen.count(of: "b1") == 3 && seen.count(of: "c1") == 4)
    for event in events { #expect(seen.traceparents(of: event.id) == [traceparent(of: event.id)]) }
  }

  @Test func aRecordWithoutAValidTraceparentBelongsToNone() throws {
    let world = try WorkerWorld(partitions: 1)
    let seen = SeenTraces()
    world.failure.set { event, delivery in
      seen.add(event.id, delivery)
      return nil
    }
    var null = TestEvent.next("c", 1).message()
    null.headers = [Header(name: "traceparent", value: nil)]
    var several = TestEvent.next("d", 1).message(traceparent: "nonsense")
    several.headers.append(Header("traceparent", traceparent(of: "d1")))

    try world.publish([
      TestEvent.next("a", 1).message(), TestEvent.next("b", 1).message(traceparent: "00-00-00-00"), null, several,
    ])
    try world.worker().makeLoop().settle()

    for id in ["a1", "b1", "c1"] { #expect(seen.traceparents(of: id) == [nil]) }
    #expect(seen.traceparents(of: "d1") == [traceparent(of: "d1")])
  }

  /// Another one for each event.
  private func traceparent(of id: String) -> String {
    let digits = id.utf8.map { String($0, radix: 16) }.joined()
    return "00-0af7651916cd43dd8448eb211c80\(digits)-b7ad6b716920\(digits)-01"
  }
}

extension TestEvent {
  fileprivate func message(traceparent: String) -> OutgoingMessage {
    var message = message()
    message.headers = [Header("traceparent", traceparent)]
    return message
  }
}

/// What handlers were told, by event.
private final class SeenTraces: Sendable {
  private let seen = Mutex<[String: [String?]]>([:])

  func add(_ id: String, _ delivery: Delivery) {
    seen.withLock { $0[id, default: []].append(delivery.trace?.traceparent) }
  }

  func count(of id: String) -> Int { seen.withLock { $0[id]?.count ?? 0 } }

  func traceparents(of id: String) -> Set<String?> { seen.withLock { Set($0[id] ?? []) } }
}
