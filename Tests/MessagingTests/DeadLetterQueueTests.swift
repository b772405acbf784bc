import GRDB
import MessagingSQLite
import Testing

@testable import Messaging

/// Redrive, discard and the discard of a gap: inside the group that gave up, once in effect.
@Suite("Dead letter queue")
struct DeadLetterQueueTests {
  private let operatorA = Requester(name: "operator-a", reason: "fixed")

  /// `a1` is handled, `a2` a dead letter, `a3` and `a4` are parked behind it.
  private func worldWithADeadLetter() throws -> (WorkerWorld, WorkerWorld.Worker) {
    let world = try WorkerWorld(partitions: 1)
    world.failure.set { event, _ in event.id == "a2" ? DeadLetterError("broken") : nil }
    try world.publish(.next("a", 1), .next("a", 2), .next("a", 3), .next("b", 1), .next("a", 4))
    let worker = world.worker()
    try worker.makeLoop().settle()
    #expect(try world.effects() == ["a1", "b1"])
    return (world, worker)
  }

  @Test func aRedriveHandlesTheEventAndWhatIsParkedBehindItInOrder() async throws {
    let (world, worker) = try worldWithADeadLetter()
    world.failure.set { _, _ in nil }

    #expect(try await worker.redrive(1, by: operatorA) == .resolved)

    #expect(try world.effects(of: "a") == ["a1", "a2", "a3", "a4"])
    let detail = try #require(try await world.store.inbox.deadLetter(id: 1))
    #expect(detail.entry.status == .resolved && detail.entry.redrives == 0)
    #expect(detail.parkedBehind.isEmpty)
    #expect(detail.audit.map(\.outcome) == [.resolved])
    #expect(detail.audit.map(\.requester) == [operatorA])
    #expect(try world.outcome(of: "a2") == "processed" && world.outcome(of: "a4") == "processed")
    #expect(worker.status().counts.handled == 5)
  }

  @Test func aRedriveAskedForTwiceHasOneEffect() async throws {
    let (world, worker) = try worldWithADeadLetter()
    world.failure.set { _, _ in nil }

    let outcomes = [try await worker.redrive(1, by: operatorA), try await worker.redrive(1, by: operatorA)]

    #expect(outcomes == [.resolved, .alreadyResolved])
    #expect(try world.effects(of: "a") == ["a1", "a2", "a3", "a4"])
    #expect(try await world.store.inbox.deadLetter(id: 1)?.audit.count == 1)
  }

  @Test func aDiscardMovesTheCursorPastTheEventAndItsSuccessorsFollow() async throws {
    let (world, worker) = try worldWithADeadLetter()

    let outcomes = [try await worker.discard(1, by: operatorA), try await worker.discard(1, by: operatorA)]

    #expect(outcomes == [.discarded, .alreadyDiscarded])
    #expect(try world.effects(of: "a") == ["a1", "a3", "a4"])
    #expect(try world.outcome(of: "a2") == "discarded")
    let detail = try #require(try await world.store.inbox.deadLetter(id: 1))
    #expect(detail.entry.status == .discarded && detail.entry.reason == "fixed")
    #expect(detail.audit.map(\.action) == [.discard])
    #expect(try await worker.redrive(1, by: operatorA) == .discarded)
  }

  @Test func aGapIsGivenUpAndWhatWasParkedFollows() async throws {
    let world = try WorkerWorld(partitions: 1)
    try world.publish(.next("a", 1), .next("a", 4), .next("a", 5), .next("a", 7))
    let worker = world.worker()
    try worker.makeLoop().settle()

    #expect(try await worker.discardGap(ofKey: "a", by: operatorA) == .discarded(versions: 2...3))

    #expect(try world.effects() == ["a1", "a4", "a5"])
    #expect(try await worker.discardGap(ofKey: "a", by: operatorA) == .discarded(versions: 6...6))
    #expect(try await worker.discardGap(ofKey: "a", by: operatorA) == nil)
    #expect(try world.effects() == ["a1", "a4", "a5", "a7"])
    #expect(try world.store.count("SELECT COUNT(*) FROM dead_letter_audit WHERE action = 'discard_gap'") == 2)
  }

  @Test func nothingIsDoneForWhatIsNotThere() async throws {
    let world = try WorkerWorld(partitions: 1)
    let worker = world.worker()

    #expect(try await worker.redrive(7, by: operatorA) == nil)
    #expect(try await worker.discard(7, by: operatorA) == nil)
    #expect(try await worker.discardGap(ofKey: "a", by: operatorA) == nil)
    #expect(try world.store.count("SELECT COUNT(*) FROM dead_letter_audit") == 0)
  }
}
