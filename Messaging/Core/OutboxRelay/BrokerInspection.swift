import FaultInjection

/// Compares the broker with what the store remembers of it, question by question.
///
/// A broker that has lost its data shows as another cluster id, as a partition whose end lies at or below the highest
/// offset that it acknowledged to us (a broker that has it all would have its end above), or as a partition that
/// acknowledges such an offset again. Under the same cluster id a loss is invisible where the log has grown beyond that
/// offset before anybody looked and without acknowledging it: Kafka gives no two clusters the same id.
struct BrokerInspection: Sendable {
  enum Step: Sendable, Hashable {
    case readPublicationState
    /// A broker's loss was found before; what has to be published again is not all unpublished yet.
    case continueEpoch
    case askClusterID
    case bind(cluster: String)
    case askTopics
    case askWatermarks(TopicPartition)
    /// A topic with acknowledged records is not listed: perhaps it is only not there yet.
    case waitForTopic(TopicPartition)
    case beginEpoch(cluster: String, reason: String)
    case done(cluster: String)
  }

  var state: PublicationState?
  var clusterID: String?
  var topics: [String: Int]?
  private(set) var ends: [TopicPartition: Int64] = [:]
  /// What this process knows beyond the store: acknowledged and not marked yet.
  private let alsoAcknowledged: [TopicPartition: Int64]
  /// A report has shown already that the data is lost.
  private let evidence: String?
  /// From the inspection before.
  private let knownEnds: [TopicPartition: Int64]
  /// A topic that is not listed is taken for lost instead of waited for.
  private let givesUpOnTopics: Bool

  init(
    alsoAcknowledged: [TopicPartition: Int64], knownEnds: [TopicPartition: Int64] = [:], evidence: String? = nil,
    givesUpOnTopics: Bool
  ) {
    self.evidence = evidence
    self.alsoAcknowledged = alsoAcknowledged
    self.knownEnds = knownEnds
    self.givesUpOnTopics = givesUpOnTopics
  }

  var highestAcknowledged: [TopicPartition: Int64] {
    (state?.highestAcknowledged ?? [:]).merging(alsoAcknowledged) { max($0, $1) }
  }

  mutating func answered(_ partition: TopicPartition, end: Int64) {
    ends[partition] = end
  }

  var nextStep: Step {
    guard let state else { return .readPublicationState }
    guard state.isEpochReady else { return .continueEpoch }
    guard let clusterID else { return .askClusterID }
    guard let known = state.clusterID else { return .bind(cluster: clusterID) }
    if Mutation.lostDataUnnoticed.isOn, topics != nil { return .done(cluster: clusterID) }
    guard known == clusterID || Mutation.lostDataUnnoticed.isOn else {
      return .beginEpoch(cluster: clusterID, reason: "another cluster: it was \(known)")
    }
    if let evidence { return .beginEpoch(cluster: clusterID, reason: evidence) }
    guard let topics else { return .askTopics }
    for (partition, highest) in highestAcknowledged.sorted(by: { $0.key < $1.key }) {
      guard Int(partition.partition) < topics[partition.topic] ?? 0 else {
        guard givesUpOnTopics else { return .waitForTopic(partition) }
        return .beginEpoch(cluster: clusterID, reason: "\(partition) is gone")
      }
      guard let end = ends[partition] else { return .askWatermarks(partition) }
      guard end > highest else {
        return .beginEpoch(
          cluster: clusterID, reason: "\(partition) ends at \(end), and \(highest) was acknowledged")
      }
      guard end >= knownEnds[partition] ?? 0 else {
        return .beginEpoch(cluster: clusterID, reason: "\(partition) has become shorter")
      }
    }
    return .done(cluster: clusterID)
  }
}
