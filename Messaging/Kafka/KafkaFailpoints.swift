import FaultInjection

/// The moments of the Kafka clients at which everything may end.
extension Failpoint {
  /// A message of several was handed to the client; the others were not.
  static let producerBetweenMessages = Failpoint("producer.between-messages")
  /// An assignment is decided on; the client has not been told.
  static let consumerAssigning = Failpoint("consumer.assigning")
  /// The worker has let go of its partitions; the client still has them, and their last offsets are not committed.
  static let consumerGivingUp = Failpoint("consumer.giving-up")

  /// Every place of this module, for the crash matrix.
  package static let kafka: [Failpoint] = [producerBetweenMessages, consumerAssigning, consumerGivingUp]
}
