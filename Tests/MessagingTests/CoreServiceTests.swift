import Logging
import MessagingSQLite
import ServiceLifecycle
import Testing

@testable import Messaging

/// Relay and worker as services: each on its thread, waiting for its broker, until they are shut down.
@Suite("Relay and worker as services", .timeLimit(.minutes(2)))
struct CoreServiceTests {
  private static let limit = Duration.seconds(60)

  @Test func aServiceGroupRunsAndStopsThem() async throws {
    let relayWorld = try RelayWorld()
    let workerWorld = try WorkerWorld()
    relayWorld.configuration.clocks = .system
    workerWorld.configuration.clocks = .system
    let (relay, worker) = (relayWorld.relay(), workerWorld.worker())
    let group = ServiceGroup(services: [relay, worker], logger: quietLogger)
    let running = Task { try await group.run() }

    try relayWorld.append("a", "a", "b")
    relay.wake()
    try workerWorld.publish(.next("a", 1), .next("a", 2))
    let (relayBroker, workerBroker) = (relayWorld.broker, workerWorld.broker)
    #expect(try await onThread { relayBroker.waitForRecords(3, of: RelayWorld.topic, atMost: Self.limit) })
    #expect(
      try await onThread {
        workerBroker.waitUntilConsumed(WorkerWorld.topic, by: WorkerWorld.group, atMost: Self.limit)
      })
    await group.triggerGracefulShutdown()
    try await running.value

    relayWorld.expectFirstCopiesInOrder()
    #expect(try relayWorld.store.unpublished() == [])
    #expect(try relayWorld.store.lease("next").token == 2)
    #expect(try workerWorld.effects() == ["a1", "a2"])
    #expect(worker.status().consumer == nil)
  }

  @Test func cancellationEndsThem() async throws {
    let relayWorld = try RelayWorld()
    let workerWorld = try WorkerWorld()
    let (relay, worker) = (relayWorld.relay(), workerWorld.worker())
    let running = [Task { try await relay.run() }, Task { try await worker.run() }]

    for task in running { task.cancel() }

    for task in running { try await task.value }
  }

  @Test func damageEndsTheRunWithItsReason() async throws {
    let world = try WorkerWorld()
    world.failure.set { _, _ in StopConsuming("not our file") }
    try world.publish(.next("a", 1))
    let worker = world.worker()

    await #expect(throws: StopConsuming("not our file")) { try await worker.run() }
  }
}
