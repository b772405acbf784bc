import Logging

/// Puts a relay's notices into words: constant messages, the facts as metadata.
struct RelayLog {
  private var logger: Logger

  init(logger: Logger, holder: LeaseHolder) {
    self.logger = logger
    self.logger[metadataKey: "relay"] = "\(holder.name)"
  }

  func write(_ notice: RelayNotice) {
    switch notice {
    case .leaseAcquired(let lease):
      logger.info("This relay publishes from now on", metadata: Self.metadata(lease))
    case .leaseHeldElsewhere:
      logger.info("Another relay publishes; this one stands by")
    case .leaseLost(let reason):
      logger.warning("The relay lost its lease and has stopped publishing", metadata: ["reason": "\(reason)"])
    case .brokerAway(let error):
      logger.warning("The broker is away; rows wait in the outbox", metadata: ["error": "\(error)"])
    case .brokerReached(let cluster):
      logger.info("The broker is there", metadata: ["cluster": "\(cluster)"])
    case .epochBegun(let lease, let reason):
      var metadata = Self.metadata(lease)
      metadata["reason"] = "\(reason)"
      logger.warning("The broker has lost its data; what is within retention is published again", metadata: metadata)
    case .epochReady(let rows):
      logger.info("All that is within retention waits to be published again", metadata: ["rows": "\(rows)"])
    case .deliveriesFail(let error, let sequence, let partition):
      logger.warning(
        "Messages do not arrive; their keys wait and are tried again",
        metadata: ["error": "\(error)", "sequence": "\(sequence)", "partition": "\(partition)"])
    case .deliveriesWork:
      logger.info("Messages arrive again")
    case .rowRefused(let error, let sequence, let topic):
      logger.error(
        "The broker refuses a message for good; its key waits for somebody to change something",
        metadata: ["error": "\(error)", "sequence": "\(sequence)", "topic": "\(topic)"])
    case .producerBroken(let error):
      logger.warning("The producer is replaced; what was in flight is sent again", metadata: ["error": "\(error)"])
    case .storeUnavailable(let reason):
      logger.warning("The store does not answer; the relay waits for it", metadata: ["error": "\(reason)"])
    case .storeAvailable:
      logger.info("The store answers again")
    case .stopping(let inFlight):
      logger.info("The relay stops after what is in flight", metadata: ["in_flight": "\(inFlight)"])
    }
  }

  private static func metadata(_ lease: RelayLease) -> Logger.Metadata {
    ["lease_token": "\(lease.token)", "publish_epoch": "\(lease.publishEpoch)"]
  }
}
