/// The names of what this module counts.
enum KafkaMetric {
  /// A partition was read on from its earliest record, because the offset wanted is not in the log.
  /// Dimension `reason`: `out_of_range` (while fetching), `beyond_end` and `before_start` (on assignment).
  static let offsetResets = "messaging_kafka_offset_resets"
  /// Assignments that came to a group member, dimension `group`.
  static let rebalances = "messaging_kafka_rebalances"
}
