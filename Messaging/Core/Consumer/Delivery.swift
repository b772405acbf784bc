import WireFormat

/// How an event came to its handler.
public struct Delivery: Sendable, Hashable {
  /// Which event it is.
  public var identity: EventIdentity
  /// Where its record lies.
  public var topicPartition: TopicPartition
  public var offset: Int64
  /// 1 at the first attempt.
  public var attempt: Int
  /// The trace that the record belongs to; nil where its `traceparent` is missing or not valid. What the handler tells
  /// goes on in it.
  public var trace: TraceContext?

  public init(
    identity: EventIdentity, topicPartition: TopicPartition, offset: Int64, attempt: Int, trace: TraceContext? = nil
  ) {
    self.identity = identity
    self.topicPartition = topicPartition
    self.offset = offset
    self.attempt = attempt
    self.trace = trace
  }
}

extension ConsumedRecord {
  /// What its `traceparent` says, the last where there are several.
  var trace: TraceContext? {
    packedHeaders.last(TraceContext.headerName)?.flatMap(TraceContext.init(traceparent:))
  }
}
