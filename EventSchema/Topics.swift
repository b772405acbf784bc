/// The topics that carry events, by their names in Kafka.
public enum Topics {
  /// What became of orders; written by OrderService.
  public static let orders = "orders"
  /// What became of reservations; written by InventoryService.
  public static let inventory = "inventory"

  /// Every topic of events and its dead letter topic.
  public static let all = [orders, inventory, deadLetters(of: orders), deadLetters(of: inventory)]

  /// Where the records of `topic` go that a consumer group has given up.
  public static func deadLetters(of topic: String) -> String { "\(topic)-dlq" }
}
