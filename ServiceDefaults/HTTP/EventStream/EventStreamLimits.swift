/// What an event stream may cost, and how long it waits for what.
public struct EventStreamLimits: Sendable, Hashable {
  /// Streams that may be open at a time; further ones are refused with 503.
  public var streams = 64
  /// Events that are read, and held in memory, at a time for one stream.
  public var page = 100
  /// The pause after a page that was not full: what is committed meanwhile comes together.
  public var pace: Duration = .milliseconds(20)
  /// How often to look without having been woken.
  public var safetyNet: Duration = .seconds(1)
  /// A comment is sent after this long without an event, so that a connection that broke is noticed, at both ends.
  public var heartbeat: Duration = .seconds(15)
  /// How long a client may leave what it was sent unread before it is cut off.
  public var patience: Duration = .seconds(10)

  public init() {}
}
