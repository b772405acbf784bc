import MessagingSQLite
import Testing

@testable import Messaging

/// What goes on while an event waits for its next attempt.
@Suite("Consumer worker: waiting")
struct WorkerWaitingTests {
  @Test func aPartitionThatWaitsForItsRetryHoldsUpNoOther() throws {
    let world = try WorkerWorld()
    world.failure.set { event, _ in event.id == "a1" ? Ordered() : nil }
    try world.publish(.next("a", 1))
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    #expect(worker.status().backoffs.map(\.eventID) == ["a1"])

    // Not a moment passes: the poll loop itself has to go on.
    let stopped = MurmurPartitioner.partition(key: Array("a".utf8), partitions: 3)
    let others = (0..<30).map { "key-\($0)" }
      .filter { MurmurPartitioner.partition(key: Array($0.utf8), partitions: 3) != stopped }
    try world.publish(others.map { .next($0, 1) })
    try loop.settle()

    #expect(try Set(world.effects()) == Set(others.map { "\($0)1" }))
    #expect(worker.status().backoffs.map(\.eventID) == ["a1"])
  }
}
