import FaultInjection

/// The moments of a store at which everything may end.
extension Failpoint {
  /// A step of the schema is carried out; that it was, is not written.
  static let storeMigrating = Failpoint("store.migrating")
  /// Every write of a batch is carried out; the batch is not committed.
  static let storeBeforeCommit = Failpoint("store.before-commit")
  /// A batch is committed and synced; nobody who waits for it has been answered.
  static let storeAfterCommit = Failpoint("store.after-commit")
  /// The write-ahead log is about to be written back into the database.
  static let storeCheckpointing = Failpoint("store.checkpointing")

  /// The lease is taken, in a transaction that is not committed.
  static let leaseAcquiring = Failpoint("lease.acquiring")
  /// The lease is renewed, in a transaction that is not committed.
  static let leaseRenewing = Failpoint("lease.renewing")
  /// A new epoch is written, in a transaction that is not committed; the rows are not unmarked yet.
  static let outboxBeginningEpoch = Failpoint("outbox.beginning-epoch")
  /// Some rows of a new epoch are unpublished again, in a transaction that is not committed.
  static let outboxContinuingEpoch = Failpoint("outbox.continuing-epoch")
  /// Rows are marked published, in a transaction that is not committed.
  static let outboxMarking = Failpoint("outbox.marking")

  /// A record that came too early is in the store; its transaction is not committed.
  static let inboxParking = Failpoint("inbox.parking")
  /// A parked record that has become next is taken out of the store; it has not been handled.
  static let inboxUnparking = Failpoint("inbox.unparking")
  /// A dead letter is in the store; its publication is not in the outbox.
  static let inboxDeadLettering = Failpoint("inbox.dead-lettering")

  /// A redrive has failed, and its dead letter counts one more; it is not published again, and nothing is committed.
  static let inboxFailingAgain = Failpoint("inbox.failing-again")
  /// A dead letter is resolved or discarded; its audit row is not written, and nothing is committed.
  static let inboxClosing = Failpoint("inbox.closing")
  /// Published rows are to be published again, in a transaction that is not committed.
  static let outboxReplaying = Failpoint("outbox.replaying")

  /// Every place of this module, for the crash matrix.
  package static let store: [Failpoint] = [
    storeMigrating, storeBeforeCommit, storeAfterCommit, storeCheckpointing, leaseAcquiring, leaseRenewing,
    outboxBeginningEpoch, outboxContinuingEpoch, outboxMarking, outboxReplaying, inboxParking, inboxUnparking,
    inboxDeadLettering, inboxFailingAgain, inboxClosing,
  ]
}
