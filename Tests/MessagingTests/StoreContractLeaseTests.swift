import Foundation
import Messaging
import MessagingSQLite
import Testing

/// At most one relay publishes from a store.
@Suite("The store's contract: lease", .timeLimit(.minutes(2)))
struct StoreContractLeaseTests {
  @Test(arguments: StoreKind.allCases)
  func oneRelayHasTheLeaseUntilItExpires(_ kind: StoreKind) throws {
    let store = try kind.open()
    let (first, second) = (LeaseHolder.currentProcess(name: "first"), LeaseHolder.currentProcess(name: "second"))

    let lease = try #require(try store.outbox.acquireLease(for: first, duration: .seconds(3)))
    #expect(try store.outbox.acquireLease(for: second, duration: .seconds(3)) == nil)
    store.clock.advance(by: .milliseconds(2_999))
    #expect(try store.outbox.acquireLease(for: second, duration: .seconds(3)) == nil)
    store.clock.advance(by: .milliseconds(1))
    let next = try #require(try store.outbox.acquireLease(for: second, duration: .seconds(3)))

    #expect(next.token > lease.token)
    #expect(next.publishEpoch == lease.publishEpoch)
  }

  @Test(arguments: StoreKind.allCases)
  func aRenewedLeaseIsKept(_ kind: StoreKind) throws {
    let store = try kind.open()
    let lease = try store.lease("first")

    for _ in 0..<5 {
      store.clock.advance(by: .seconds(2))
      try store.outbox.renewLease(lease, duration: .seconds(3))
      #expect(try store.outbox.acquireLease(for: .currentProcess(name: "second"), duration: .seconds(3)) == nil)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aLeaseThatExpiredUnnoticedIsStillItsHolders(_ kind: StoreKind) throws {
    let store = try kind.open()
    try store.append(outboxMessage("1"))
    let lease = try store.lease()

    store.clock.advance(by: .seconds(60))

    try store.outbox.markPublished([receipt(1, offset: 0)], lease: lease)
    try store.outbox.renewLease(lease, duration: .seconds(3))
  }

  @Test(arguments: StoreKind.allCases)
  func whoLostTheLeaseIsRefusedEverywhere(_ kind: StoreKind) throws {
    let store = try kind.open()
    try store.append(outboxMessage("1"))
    let stale = try store.lease("first")
    store.clock.advance(by: .seconds(4))
    let lease = try store.lease("second")

    #expect(throws: LeaseLost.self) { try store.outbox.markPublished([receipt(1, offset: 0)], lease: stale) }
    #expect(throws: LeaseLost.self) { try store.outbox.renewLease(stale, duration: .seconds(3)) }
    #expect(throws: LeaseLost.self) { try store.outbox.bind(toCluster: "x", lease: stale) }
    #expect(throws: LeaseLost.self) { try store.outbox.beginEpoch(clusterID: "x", lease: stale) }
    try store.outbox.releaseLease(stale)

    #expect(try store.unpublished() == [1])
    #expect(try store.outbox.publicationState().clusterID == nil)
    #expect(try store.outbox.acquireLease(for: .currentProcess(name: "third"), duration: .seconds(3)) == nil)
    try store.outbox.markPublished([receipt(1, offset: 0)], lease: lease)
  }

  @Test(arguments: StoreKind.allCases)
  func aLeaseThatIsGivenBackCanBeTakenAtOnce(_ kind: StoreKind) throws {
    let store = try kind.open()
    let lease = try store.lease("first")

    try store.outbox.releaseLease(lease)

    #expect(try store.lease("second").token == lease.token + 1)
    #expect(throws: LeaseLost.self) { try store.outbox.renewLease(lease, duration: .seconds(3)) }
  }

  @Test(arguments: StoreKind.allCases)
  func theLeaseOfAProcessThatIsGoneCanBeTakenAtOnce(_ kind: StoreKind) throws {
    let store = try kind.open()
    let child = Process()
    child.executableURL = URL(fileURLWithPath: "/bin/sh")
    child.arguments = ["-c", "true"]
    try child.run()
    child.waitUntilExit()
    let gone = LeaseHolder(name: "gone", processID: child.processIdentifier, processStartedAt: 1)

    let lease = try #require(try store.outbox.acquireLease(for: gone, duration: .seconds(3)))

    #expect(try store.lease("next").token == lease.token + 1)
  }

  @Test(arguments: StoreKind.allCases)
  func anotherProcessWithTheSameIDIsNotTheHolder(_ kind: StoreKind) throws {
    let store = try kind.open()
    let reused = LeaseHolder(name: "reused", processID: getppid(), processStartedAt: 1)

    let lease = try #require(try store.outbox.acquireLease(for: reused, duration: .seconds(3)))

    #expect(try store.lease("next").token == lease.token + 1)
  }

  @Test(arguments: StoreKind.allCases)
  func anEndThatAClockWroteFarAheadDoesNotCount(_ kind: StoreKind) throws {
    let store = try kind.open()
    let lease = try store.lease("first", duration: .seconds(86_400))

    #expect(try store.lease("second", duration: .seconds(3)).token == lease.token + 1)
  }
}
