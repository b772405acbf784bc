import EventSchema
import WireFormat

/// What is known of an order's way: the events told of it and heard about it, in the order in which they happened here.
public struct OrderTimeline: Sendable, Hashable {
  public let orderID: OrderID
  public let steps: [Step]

  /// An event that passed through this service.
  public struct Step: Sendable, Hashable {
    public enum Direction: String, Sendable, Hashable {
      case published
      case consumed
    }

    public let direction: Direction
    public let eventID: String
    public let eventType: String
    public let topic: String
    /// Nil while the event waits for its publication.
    public let partition: Int32?
    /// Nil while the event waits for its publication, and where the broker did not name it.
    public let offset: Int64?
    /// The attempt that decided what became of a consumed event; nil for a published one.
    public let attempt: Int?
    /// When the event came about here, or when it was handled.
    public let at: Timestamp
    /// When the broker acknowledged it; nil for a consumed event, and while it waits.
    public let publishedAt: Timestamp?
    /// `waiting` or `published`; of a consumed event its outcome.
    public let status: String
  }
}
