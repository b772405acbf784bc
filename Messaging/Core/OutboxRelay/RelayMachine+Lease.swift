/// The right to publish: asked for, renewed in time, and given up the moment it may be somebody else's.
extension RelayMachine {
  mutating func keepLease(at now: Duration) -> RelayAction? {
    if let lease, now < leaseEnds {
      return now >= nextLeaseCall ? .renewLease(lease, for: configuration.leaseDuration) : nil
    }
    if lease != nil { loseLease(reason: "not renewed in time", at: now) }
    if phase == .stopped { return .finish }
    return now >= nextLeaseCall ? .acquireLease(for: configuration.leaseDuration) : nil
  }

  /// There is something to publish: if the relay that had the lease is gone, that is found out now. Ten looks a second at
  /// most, however much is appended.
  mutating func askForLeaseSoon() {
    guard lease == nil, let heldElsewhereAt else { return }
    nextLeaseCall = min(nextLeaseCall, heldElsewhereAt + .milliseconds(100))
  }

  mutating func leaseAnswered(_ answer: Result<RelayLease?, StoreFailure>, at now: Duration) {
    switch answer {
    case .success(let granted?):
      lease = granted
      phase = .comparing
      leaseFailures = 0
      held(since: now)
      nextInspection = now
      inspection = nil
      notices.add(.leaseAcquired(granted))
      notices.storeWorks()
    case .success(nil):
      notices.add(.leaseHeldElsewhere)
      heldElsewhereAt = now
      // A third of the lease: soon after its end at the latest, and not so often that it costs anything.
      nextLeaseCall = now + configuration.leaseDuration / 3
    case .failure(let failure):
      heldElsewhereAt = nil
      leaseFailures += 1
      nextLeaseCall = now + backoff(leaseFailures)
      notices.storeFails(failure)
    }
  }

  mutating func renewed(_ answer: Result<Void, StoreFailure>, at now: Duration) {
    switch answer {
    case .success:
      leaseFailures = 0
      held(since: now)
      notices.storeWorks()
    case .failure(.leaseLost):
      loseLease(reason: "another relay has it", at: now)
    case .failure(let failure):
      leaseFailures += 1
      nextLeaseCall = now + min(backoff(leaseFailures), configuration.leaseDuration / 6)
      notices.storeFails(failure)
    }
  }

  private mutating func held(since now: Duration) {
    leaseEnds = now + configuration.leaseDuration
    nextLeaseCall = now + configuration.leaseDuration / 3
    heldElsewhereAt = nil
  }

  /// Another relay may be publishing: everything in memory is forgotten, nothing more is marked.
  mutating func loseLease(reason: String, at now: Duration) {
    notices.add(.leaseLost(reason: reason))
    lease = nil
    phase = phase == .stopping ? .stopped : .withoutLease
    nextLeaseCall = now
    inspection = nil
    evidence = nil
    epochRows = 0
    highestAcknowledged = [:]
    knownEnds = [:]
    forgetReceipts()
    forgetRows()
  }
}
