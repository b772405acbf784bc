/// Decides per partition whether more rows for it may be read. Behind a closed gate rows stay in the store.
///
/// The rows of a partition that has stopped acknowledging no longer count against the memory that all share; they have
/// a budget of their own, and the gate closes when that is used up. A gate also closes when too much lies on its
/// partition that the consumers have not had (only where the broker would drop it).
struct PartitionGates: Sendable {
  private struct Gate {
    /// The most bytes that may lie on the partition and have not been consumed; nil for any number.
    let limit: Int?
    var rows = 0
    var bytes = 0
    /// When it acknowledged last.
    var lastProgress: Duration?
    /// Since when it has had rows without a pause.
    var since: Duration = .zero
    var isStuck = false
    /// The first row that was not taken because the gate was closed.
    var skippedFrom: Int64?
    /// What was published and is beyond the slowest consumer, with the bytes of each record.
    var unconsumed = Queue<(offset: Int64, bytes: Int)>()
    var unconsumedBytes = 0
    /// Published up to here before this relay could count: what of it lies unconsumed is guessed from its number.
    var countedFrom: Int64?
    var guessedBytes = 0
    var isBrimful = false

    var lyingBytes: Int { unconsumedBytes + guessedBytes + bytes }
    var hasUnconsumed: Bool { !unconsumed.isEmpty || countedFrom != nil || isBrimful }

    init(limit: Int?) { self.limit = limit }

    /// A record has come to lie on the partition.
    mutating func lies(_ bytes: Int, at offset: Int64?) {
      guard limit != nil, let offset else { return }
      unconsumed.append((offset, bytes))
      unconsumedBytes += bytes
    }
  }

  private var gates: [TopicPartition: Gate] = [:]
  private let stuckAfter: Duration
  /// The most rows of a stuck partition that are in memory.
  private let stuckBudget: Int
  private let maxUnconsumedBytes: Int?
  /// The topics whose consumers are known, so that one can tell what they have had.
  private let limitedTopics: Set<String>

  init(stuckAfter: Duration, stuckBudget: Int, maxUnconsumedBytes: Int?, limitedTopics: Set<String>) {
    self.stuckAfter = stuckAfter
    self.stuckBudget = stuckBudget
    self.maxUnconsumedBytes = maxUnconsumedBytes
    self.limitedTopics = limitedTopics
  }

  private func limit(for partition: TopicPartition) -> Int? {
    limitedTopics.contains(partition.topic) ? maxUnconsumedBytes : nil
  }

  /// Changes the gate of `partition` where it is. Every row comes by several times.
  private mutating func change<Result>(_ partition: TopicPartition, _ body: (inout Gate) -> Result) -> Result {
    if let index = gates.index(forKey: partition) { return body(&gates.values[index]) }
    var gate = Gate(limit: limit(for: partition))
    defer { gates[partition] = gate }
    return body(&gate)
  }

  /// Rows in memory that are for partitions that do not move.
  private(set) var stuckRows = 0
  private(set) var stuckBytes = 0

  enum Admission: Sendable {
    case entered
    /// The row stays in the store until the gate opens.
    case closed
    case noRoom
  }

  /// Takes a row in, if its gate is open and there is room.
  mutating func admit(
    _ sequence: Int64, bytes: Int, for partition: TopicPartition, hasRoom: Bool, at now: Duration
  ) -> Admission {
    let (admission, isStuck) = change(partition) { [stuckBudget] gate -> (Admission, Bool) in
      if let limit = gate.limit, gate.lyingBytes > 0, gate.lyingBytes + bytes > limit { gate.isBrimful = true }
      guard !gate.isBrimful, !gate.isStuck || gate.rows < stuckBudget else {
        gate.skippedFrom = min(gate.skippedFrom ?? sequence, sequence)
        return (.closed, gate.isStuck)
      }
      guard hasRoom else { return (.noRoom, gate.isStuck) }
      if gate.rows == 0 { gate.since = now }
      gate.rows += 1
      gate.bytes += bytes
      return (.entered, gate.isStuck)
    }
    if isStuck, admission == .entered {
      stuckRows += 1
      stuckBytes += bytes
    }
    return admission
  }

  /// A row left memory without having been acknowledged.
  mutating func left(_ bytes: Int, for partition: TopicPartition) {
    leave(bytes, for: partition) { _ in }
  }

  private mutating func leave(_ bytes: Int, for partition: TopicPartition, _ body: (inout Gate) -> Void) {
    let isStuck = change(partition) { gate in
      gate.rows -= 1
      gate.bytes -= bytes
      body(&gate)
      return gate.isStuck
    }
    if isStuck {
      stuckRows -= 1
      stuckBytes -= bytes
    }
  }

  mutating func acknowledged(
    _ bytes: Int, for partition: TopicPartition, at position: RecordPosition, now: Duration
  ) {
    let isWhereItWasMeantToBe = position.topicPartition == partition
    leave(bytes, for: partition) { gate in
      gate.lastProgress = now
      if isWhereItWasMeantToBe { gate.lies(bytes, at: position.offset) }
    }
    if !isWhereItWasMeantToBe { change(position.topicPartition) { $0.lies(bytes, at: position.offset) } }
  }

  /// Looks which partitions move.
  ///
  /// - Returns: from which row on the store has to be read again because a gate has opened.
  mutating func review(at now: Duration) -> Int64? {
    for (partition, gate) in gates {
      let moved = max(gate.lastProgress ?? gate.since, gate.since)
      let isStuck = gate.rows > 0 && now - moved > stuckAfter
      guard isStuck != gate.isStuck else { continue }
      gates[partition]?.isStuck = isStuck
      stuckRows += isStuck ? gate.rows : -gate.rows
      stuckBytes += isStuck ? gate.bytes : -gate.bytes
    }
    return reopen()
  }

  /// This relay begins to publish, and others have published up to `highest` before it.
  mutating func takeOver(_ partition: TopicPartition, publishedUpTo highest: Int64) {
    change(partition) { gate in
      guard gate.limit != nil else { return }
      gate.unconsumed.removeAll()
      gate.unconsumedBytes = 0
      gate.countedFrom = highest &+ 1
    }
  }

  private static let guessedRecordBytes = 1_000

  /// The consumers have had everything before `next`: the lowest committed offset of the groups that read it.
  mutating func consumed(before next: Int64, of partition: TopicPartition) {
    change(partition) { gate in
      guard let limit = gate.limit else { return }
      while let first = gate.unconsumed.first, first.offset < next {
        gate.unconsumedBytes -= first.bytes
        _ = gate.unconsumed.popFirst()
      }
      if let countedFrom = gate.countedFrom {
        gate.guessedBytes = Int(min(max(0, countedFrom - next), 1_000_000)) * Self.guessedRecordBytes
        if next >= countedFrom { gate.countedFrom = nil }
      }
      if gate.lyingBytes <= limit / 2 { gate.isBrimful = false }
    }
  }

  /// Whether something is known to lie unconsumed on any partition.
  var hasUnconsumed: Bool { gates.values.contains(where: \.hasUnconsumed) }

  /// Partitions of which something is known to lie unconsumed.
  var unconsumedPartitions: [TopicPartition] { gates.filter(\.value.hasUnconsumed).keys.sorted() }

  /// The lowest row that was skipped at a gate that is open now; it counts as read again.
  mutating func reopen() -> Int64? {
    var lowest: Int64?
    for (partition, gate) in gates where !gate.isBrimful && !(gate.isStuck && gate.rows > stuckBudget / 2) {
      guard let skipped = gate.skippedFrom else { continue }
      lowest = min(lowest ?? skipped, skipped)
      gates[partition]?.skippedFrom = nil
    }
    return lowest
  }

  /// The rows in memory are forgotten; what lies on the topics stays.
  mutating func forgetRows() {
    for partition in gates.keys {
      gates[partition]?.rows = 0
      gates[partition]?.bytes = 0
      gates[partition]?.isStuck = false
      gates[partition]?.skippedFrom = nil
    }
    stuckRows = 0
    stuckBytes = 0
  }

  /// Nothing is known any more: the broker has lost what lay on it.
  mutating func forgetEverything() {
    self = PartitionGates(
      stuckAfter: stuckAfter, stuckBudget: stuckBudget, maxUnconsumedBytes: maxUnconsumedBytes,
      limitedTopics: limitedTopics)
  }
}
