/// What is to be logged: a trouble once when it begins, once when it changes, once when it is over.
struct RelayNotices: Sendable {
  private var waiting: [RelayNotice] = []
  private var brokerTrouble: String?
  private var hasReachedBroker = false
  private var storeTrouble: String?
  private var deliveryTrouble: String?
  private var isLeaseElsewhere = false

  mutating func take() -> [RelayNotice] {
    guard !waiting.isEmpty else { return [] }
    defer { waiting = [] }
    return waiting
  }

  mutating func add(_ notice: RelayNotice) {
    switch notice {
    case .leaseHeldElsewhere:
      guard !isLeaseElsewhere else { return }
      isLeaseElsewhere = true
    case .leaseAcquired: isLeaseElsewhere = false
    case .rowRefused:
      // A topic that is gone refuses thousands: the gauge counts them, the log names some.
      guard waiting.count < 10 else { return }
    default: break
    }
    waiting.append(notice)
  }

  mutating func brokerFails(_ error: BrokerError) {
    guard brokerTrouble != error.name else { return }
    brokerTrouble = error.name
    add(.brokerAway(error))
  }

  mutating func brokerWorks(cluster: String) {
    if brokerTrouble != nil || !hasReachedBroker { add(.brokerReached(cluster: cluster)) }
    brokerTrouble = nil
    hasReachedBroker = true
  }

  mutating func storeFails(_ failure: StoreFailure) {
    guard case .unavailable(let reason) = failure, storeTrouble != reason else { return }
    storeTrouble = reason
    add(.storeUnavailable(reason))
  }

  mutating func storeWorks() {
    guard storeTrouble != nil else { return }
    storeTrouble = nil
    add(.storeAvailable)
  }

  mutating func deliveryFails(_ error: BrokerError, _ entry: RelayWindow.Entry) {
    guard deliveryTrouble != error.name else { return }
    deliveryTrouble = error.name
    add(.deliveriesFail(error, sequence: entry.row.sequence, partition: entry.partition))
  }

  mutating func deliveriesWork() {
    guard deliveryTrouble != nil else { return }
    deliveryTrouble = nil
    add(.deliveriesWork)
  }

  /// The trouble that there is now, for the status.
  var trouble: String? { storeTrouble ?? brokerTrouble ?? deliveryTrouble }
  var isBrokerReachable: Bool { hasReachedBroker && brokerTrouble == nil }
}

/// What a round did, for the metrics.
struct RelayObservations: Sendable {
  var published = 0
  var failures = 0
  var latencies: [Duration] = []
}
