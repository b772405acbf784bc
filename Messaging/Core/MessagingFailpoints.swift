import FaultInjection

/// The moments of a relay and of a consumer worker at which everything may end.
extension Failpoint {
  // MARK: The relay

  /// Rows were read from the outbox; nothing of them has been handed to the producer.
  static let relayAfterRead = Failpoint("relay.after-read")
  /// Rows were handed to the producer; whether they arrive, nobody will hear.
  static let relayAfterProduce = Failpoint("relay.after-produce")
  /// The broker has acknowledged rows; none of them is marked.
  static let relayBeforeMark = Failpoint("relay.before-mark")
  /// The marks are committed; the relay has not heard of it.
  static let relayAfterMark = Failpoint("relay.after-mark")
  /// The shutdown: what was in flight is marked, and the lease is still held.
  static let relayLeaving = Failpoint("relay.leaving")

  // MARK: The consumer worker

  /// Partitions were assigned, and where to start each is decided; nothing has been read.
  static let workerAssigned = Failpoint("worker.assigned")
  /// Partitions are being taken away; what was stored for them is not committed to the group.
  static let workerRevoked = Failpoint("worker.revoked")
  /// Records are in memory; their transaction has not begun.
  static let workerAfterPoll = Failpoint("worker.after-poll")
  /// An event is about to be handed to its handler; its row is written, its key's cursor has moved where it is
  /// the next, and nothing is committed.
  static let workerHandle = Failpoint("worker.handle")
  /// An event's effect is written, and nothing is committed.
  static let workerAfterEffect = Failpoint("worker.after-effect")
  /// A whole batch is dealt with, and the next offsets are written; nothing is committed.
  static let workerBeforeCommit = Failpoint("worker.before-commit")
  /// The batch is committed; its offsets are not stored with the client.
  static let workerAfterCommit = Failpoint("worker.after-commit")
  /// The offsets are stored with the client; the group has not been told.
  static let workerAfterStore = Failpoint("worker.after-store")
  /// The shutdown: polling has ended, and the group has not been left.
  static let workerLeaving = Failpoint("worker.leaving")

  /// Every place of this module, for the crash matrix.
  package static let messaging: [Failpoint] = [
    relayAfterRead, relayAfterProduce, relayBeforeMark, relayAfterMark, relayLeaving,
    workerAssigned, workerRevoked, workerAfterPoll, workerHandle, workerAfterEffect, workerBeforeCommit,
    workerAfterCommit, workerAfterStore, workerLeaving,
  ]
}
