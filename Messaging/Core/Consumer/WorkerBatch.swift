/// Records that are handled in one transaction: of each partition the next ones, in order.
struct WorkerBatch: Sendable {
  struct Part: Sendable {
    var partition: TopicPartition
    var cluster: String
    var records: [ConsumedRecord]
    /// The attempts that the first record has behind it.
    var failure: EventFailure?
  }

  var parts: [Part]

  /// How many records it has.
  var count: Int { parts.reduce(0) { $0 + $1.records.count } }

  /// Where each partition goes on once all of it is dealt with.
  var next: [TopicPartition: Int64] {
    parts.reduce(into: [:]) { next, part in
      if let last = part.records.last { next[part.partition] = last.offset &+ 1 }
    }
  }
}

/// An event whose handler failed, and that will be tried again.
struct EventFailure: Sendable, Hashable {
  var identity: EventIdentity
  var offset: Int64
  var attempts: Int
  var error: String
}

/// A parked event that failed in its turn, and that will be tried again.
struct PostponedEvent: Sendable, Hashable {
  var failure: EventFailure
  var partition: TopicPartition
  var pause: Duration
}

/// An event that was given up, for the log.
struct GivenUpEvent: Sendable, Hashable {
  var eventID: String
  var key: String?
  var partition: TopicPartition
  var offset: Int64
  var attempts: Int
  var error: String
}

/// What came of a batch whose transaction is committed.
struct WorkerOutcome: Sendable {
  struct Part: Sendable {
    var partition: TopicPartition
    /// How many records from the front are dealt with.
    var done: Int
    /// Why the partition stands at the record after those.
    var failure: EventFailure?
  }

  var parts: [Part] = []
  var counts = ConsumerCounts()
  var givenUp: [GivenUpEvent] = []
  var postponed: [PostponedEvent] = []
}
