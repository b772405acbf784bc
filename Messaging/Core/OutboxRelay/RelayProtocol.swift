/// What a ``RelayMachine`` wants done, in this order, one at a time; the answer to each is its next input.
enum RelayAction: Sendable {
  case acquireLease(for: Duration)
  case renewLease(RelayLease, for: Duration)
  case releaseLease(RelayLease)

  case readPublicationState
  case askClusterID
  case askTopics
  case askWatermarks(TopicPartition)
  case bind(cluster: String, RelayLease)
  case beginEpoch(cluster: String, RelayLease)
  case continueEpoch(RelayLease, limit: Int)
  case askCommitted(group: String, [TopicPartition])

  case read(after: Int64, limit: Int, RelayRead)
  case send([(token: UInt64, message: OutgoingMessage)])
  /// Answered in two parts: it is on its way, and later what became of it.
  case mark([PublicationReceipt], RelayLease)
  case replaceProducer
  case prepareProducer(topics: [String])

  /// Needs no answer.
  case notify(RelayNotice)
  /// The last action: the relay is done.
  case finish
}

/// Which way of reading a page belongs to.
enum RelayRead: Sendable {
  /// From where reading has come to.
  case ahead
  /// Over what has been read already: whether a row has become unpublished again, or was overlooked.
  case sweep
}

/// What happened.
enum RelayInput: Sendable {
  /// A round begins, with what has been asked for and reported since the last.
  case turn(RelayWake, [DeliveryReport])

  case leaseAnswer(Result<RelayLease?, StoreFailure>)
  case renewed(Result<Void, StoreFailure>)
  case released

  case publicationState(Result<PublicationState, StoreFailure>)
  case clusterID(Result<String, BrokerError>)
  case topics(Result<[String: Int], BrokerError>)
  case watermarks(TopicPartition, Result<(start: Int64, end: Int64), BrokerError>)
  case bound(Result<Void, StoreFailure>)
  case epochBegun(Result<RelayLease, StoreFailure>)
  case epochContinued(Result<EpochStep, StoreFailure>)
  case committed(group: String, Result<[TopicPartition: Int64], BrokerError>)

  case rows(Result<[OutboxRow], StoreFailure>, limit: Int, RelayRead)
  case sent(Result<Int, BrokerError>, tokens: [UInt64])
  case marking
  case marked(MarkAnswer)
  case producerReplaced(Result<Void, BrokerError>)
  case producerPrepared
}

/// What became of marks.
struct MarkAnswer: Sendable {
  var result: Result<Void, StoreFailure>
  var receipts: [PublicationReceipt]
  /// With which they were asked for.
  var lease: RelayLease
}

/// What others have asked of the relay, or have to tell it.
struct RelayWake: Sendable {
  /// Marks that were asked for are made, or refused.
  var marked: [MarkAnswer] = []
  /// Rows have been appended.
  var rowsAppended = false
  /// Rows have become unpublished again.
  var rescan = false
  /// Finish what is in flight, and end.
  var stop = false
  /// End now.
  var abort = false
}

/// Why the store did not do what it was asked.
enum StoreFailure: Error, Sendable, Hashable {
  case leaseLost
  /// Passes; try again.
  case unavailable(String)

  init(_ error: any Error) {
    if error is LeaseLost { self = .leaseLost } else { self = .unavailable(String(describing: error)) }
  }
}

/// What is worth a line in the log.
enum RelayNotice: Sendable, Hashable {
  case leaseAcquired(RelayLease)
  case leaseHeldElsewhere
  case leaseLost(reason: String)
  case brokerAway(BrokerError)
  case brokerReached(cluster: String)
  case epochBegun(RelayLease, reason: String)
  case epochReady(rows: Int)
  case deliveriesFail(BrokerError, sequence: Int64, partition: TopicPartition)
  case deliveriesWork
  case rowRefused(BrokerError, sequence: Int64, topic: String)
  case producerBroken(BrokerError)
  case storeUnavailable(String)
  case storeAvailable
  case stopping(inFlight: Int)
}
