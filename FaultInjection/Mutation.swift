import Foundation

/// A classic bug that a debug build can be told to have again, one at a time, by `MUTATION=<name>` in the environment.
/// For each there is a test that fails then: `docs/guarantees.md` has the table, `MutationTests` runs it. In a release
/// build every one of them is off, and the branches are gone.
public enum Mutation: String, Sendable, CaseIterable {
  // MARK: The relay

  /// A row is marked published when it was handed to the producer, before its delivery report.
  case markBeforeReport = "mark-before-report"
  /// A row whose delivery failed is marked all the same.
  case markAfterFailure = "mark-after-failure"
  /// The lease is granted to whoever asks.
  case leaseForEverybody = "lease-for-everybody"
  /// A relay that has lost its lease may still mark.
  case leaseTokenUnchecked = "lease-token-unchecked"
  /// When a row fails, the next of its key goes out.
  case keyGoesOnAfterFailure = "key-goes-on-after-failure"
  /// Several rows of a key are out at a time.
  case manyUnacknowledgedPerKey = "many-unacknowledged-per-key"
  /// What was read once is not looked at again: `id > last seen`.
  case lastSeenCursor = "last-seen-cursor"
  /// A broker that lost its data is taken for the one of before.
  case lostDataUnnoticed = "lost-data-unnoticed"
  /// What a batch publishes carries one trace, that of the delivery.
  case traceOfTheDelivery = "trace-of-the-delivery"

  // MARK: The consumer

  /// The offset is stored before the transaction of its batch is committed.
  case offsetBeforeCommit = "offset-before-commit"
  /// A partition goes on behind a record that failed, and its offset with it.
  case offsetBeyondFailure = "offset-beyond-failure"
  /// Reading goes on at the group's committed offset, whatever the store knows.
  case startAtCommittedOffset = "start-at-committed-offset"
  /// A group without an offset begins at the end of the log: `auto.offset.reset=latest`.
  case startAtLatest = "start-at-latest"
  /// The row that makes a copy a duplicate is written after the transaction of the effect.
  case dedupAfterCommit = "dedup-after-commit"
  /// An event whose handler failed counts as handled.
  case dedupSurvivesFailure = "dedup-survives-failure"
  /// The cursor of a key jumps over a missing version.
  case cursorJumpsGap = "cursor-jumps-gap"
  /// Parked events that have become next are left to whoever made them so.
  case successorsForgotten = "successors-forgotten"
  /// A dead letter is published after the transaction that keeps it.
  case deadLetterAfterCommit = "dead-letter-after-commit"
  /// The row that a dead letter left makes its redrive a duplicate.
  case redriveIsADuplicate = "redrive-is-a-duplicate"
  /// A redrive does not ask whether there was one before.
  case redriveEachTime = "redrive-each-time"
  /// A store that is full or busy counts as an attempt of the event.
  case storeTroubleIsAnAttempt = "store-trouble-is-an-attempt"
  /// The thread that polls sleeps while an event waits for its next attempt.
  case sleepBetweenAttempts = "sleep-between-attempts"

  // MARK: The store

  /// A commit is not synced.
  case synchronousNormal = "synchronous-normal"
  /// A transaction takes the write lock at its first write, after it has read.
  case deferredTransaction = "deferred-transaction"

  // MARK: The services

  /// An idempotency key is taken in a transaction of its own, before that of its order.
  case idempotencyKeyBeforeOrder = "idempotency-key-before-order"
  /// The last answer wins, wherever the order stands.
  case lastWriteWins = "last-write-wins"
  /// A reservation is released as often as it is asked for.
  case releaseTwice = "release-twice"
  /// A cancellation that came before its order is forgotten.
  case cancellationForgotten = "cancellation-forgotten"
  /// Of an order that cannot be served, what is there is kept.
  case reserveInPart = "reserve-in-part"

  @inlinable public var isOn: Bool {
    #if FAULT_INJECTION
      Self.active == self
    #else
      false
    #endif
  }

  @usableFromInline static let active = ProcessInfo.processInfo.environment["MUTATION"].flatMap(Mutation.init)
}
