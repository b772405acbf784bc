import Logging

/// What a consumer worker has to say, and the words for it: constant messages, the facts as metadata.
enum WorkerNotice: Sendable, Hashable {
  case retries(EventFailure, TopicPartition)
  case gaveUp(GivenUpEvent)
  /// This many more than were told of.
  case retriesMore(Int)
  case gaveUpMore(Int)
  case processDied(HandlingDeath)
  case storeUnavailable(String)
  case storeAvailable
  case consumerFailed(String)
  case startsAtEarliest([TopicPartition], StartDecision.Reason)

  func write(to logger: Logger) {
    switch self {
    case .retries(let failure, let partition):
      logger.warning(
        "An event failed and is tried again",
        metadata: [
          "event_id": "\(failure.identity.eventID)", "event_type": "\(failure.identity.eventType)",
          "key": "\(failure.identity.key)", "partition": "\(partition)", "offset": "\(failure.offset)",
          "attempt": "\(failure.attempts)", "error": "\(failure.error)",
        ])
    case .gaveUp(let event):
      logger.error(
        "An event is a dead letter",
        metadata: [
          "event_id": "\(event.eventID)", "key": "\(event.key ?? "")", "partition": "\(event.partition)",
          "offset": "\(event.offset)", "attempt": "\(event.attempts)", "error": "\(event.error)",
        ])
    case .retriesMore(let number):
      logger.warning("More events failed and are tried again", metadata: ["events": "\(number)"])
    case .gaveUpMore(let number):
      logger.error("More events are dead letters", metadata: ["events": "\(number)"])
    case .processDied(let death):
      logger.warning(
        "A process died with something at hand, which counts as an attempt",
        metadata: ["process": "\(death.process)", "subject": "\(death.subject.name)"])
    case .storeUnavailable(let reason):
      logger.warning("The store does not take the batch; it is tried again", metadata: ["error": "\(reason)"])
    case .storeAvailable:
      logger.info("The store takes batches again")
    case .consumerFailed(let error):
      logger.warning("The consumer cannot go on and is replaced", metadata: ["error": "\(error)"])
    case .startsAtEarliest(let partitions, let reason):
      logger.info(
        "Reading from the earliest record",
        metadata: [
          "partitions": "\(partitions.map(\.description).joined(separator: " "))", "reason": "\(reason.rawValue)",
        ])
    }
  }
}
