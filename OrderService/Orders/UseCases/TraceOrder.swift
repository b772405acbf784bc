import EventSchema
import GRDB
import MessagingSQLite

/// Tells an order's way through this service: every event published and consumed that is still within its retention.
public struct TraceOrder: Sendable {
  private let database: SQLiteDatabase
  private let orders: OrderStore
  private let consumerGroup: String

  /// - Parameter consumerGroup: the group under which this service hears of its orders.
  public init(database: SQLiteDatabase, orders: OrderStore, consumerGroup: String) {
    self.database = database
    self.orders = orders
    self.consumerGroup = consumerGroup
  }

  /// - Throws: ``UnknownOrder``
  public func callAsFunction(_ orderID: OrderID) async throws -> OrderTimeline {
    try await database.read { [orders, consumerGroup] database in
      guard try orders.contains(orderID, in: database) else { throw UnknownOrder(orderID: orderID) }
      let published = try SQLiteOutbox.entries(ofKey: orderID.rawValue, in: database)
      let consumed = try SQLiteInbox.entries(ofKey: orderID.rawValue, group: consumerGroup, in: database)
      return OrderTimeline(orderID: orderID, published: published, consumed: consumed)
    }
  }
}

extension OrderTimeline {
  /// Puts both lists, each in its own order, into one. Of the same millisecond, what was heard comes before what was
  /// told because of it, but nothing was heard of an order before it was first told of.
  fileprivate init(orderID: OrderID, published: [OutboxEntry], consumed: [ProcessedEvent]) {
    let told = published.map(Step.init)
    var heard = consumed.map(Step.init)[...]
    var steps: [Step] = []
    for (index, step) in told.enumerated() {
      while index > 0, let next = heard.first, next.at <= step.at {
        steps.append(next)
        heard.removeFirst()
      }
      steps.append(step)
    }
    self.init(orderID: orderID, steps: steps + heard)
  }
}

extension OrderTimeline.Step {
  fileprivate init(_ entry: OutboxEntry) {
    self.init(
      direction: .published, eventID: entry.eventID, eventType: entry.eventType, topic: entry.topic,
      partition: entry.publication?.topicPartition.partition, offset: entry.publication?.offset, attempt: nil,
      at: entry.createdAt, publishedAt: entry.publication?.at,
      status: entry.publication == nil ? "waiting" : "published")
  }

  fileprivate init(_ event: ProcessedEvent) {
    self.init(
      direction: .consumed, eventID: event.identity.eventID, eventType: event.identity.eventType,
      topic: event.topicPartition.topic, partition: event.topicPartition.partition, offset: event.offset,
      attempt: event.attempts, at: event.processedAt, publishedAt: nil, status: event.outcome.rawValue)
  }
}
