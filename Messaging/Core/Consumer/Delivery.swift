/// How an event came to its handler.
public struct Delivery: Sendable, Hashable {
  /// Which event it is.
  public var identity: EventIdentity
  /// Where its record lies.
  public var topicPartition: TopicPartition
  public var offset: Int64
  /// 1 at the first attempt.
  public var attempt: Int

  public init(identity: EventIdentity, topicPartition: TopicPartition, offset: Int64, attempt: Int) {
    self.identity = identity
    self.topicPartition = topicPartition
    self.offset = offset
    self.attempt = attempt
  }
}
