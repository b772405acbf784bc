import FaultInjection

/// The rows that a relay has in memory: which may go out, which are out, and which wait behind another of their key.
///
/// At most one row of a key is out at a time. So whatever fails and is tried again, the first copies of a key's rows are
/// on the topic in the order of their sequence.
struct RelayWindow: Sendable {
  /// What is in order among itself: the rows of a key. A row without a key is alone.
  struct Lane: Hashable, Sendable {
    /// Made once: a lane is looked up several times for each of its rows.
    private let digest: Int
    private let topic: String
    private let key: [UInt8]?
    /// The row's, where it has no key.
    private let sequence: Int64?

    init(of row: OutboxRow) {
      topic = row.message.topic
      key = row.message.key
      sequence = key == nil ? row.sequence : nil
      var hasher = Hasher()
      hasher.combine(topic)
      hasher.combine(sequence)
      key?.withUnsafeBytes { hasher.combine(bytes: $0) }
      digest = hasher.finalize()
    }

    func hash(into hasher: inout Hasher) { hasher.combine(digest) }
  }

  struct Entry: Sendable {
    let row: OutboxRow
    let lane: Lane
    let partition: TopicPartition
    let bytes: Int
    /// When it was handed to the producer last.
    var sentAt: Duration = .zero
    var failures = 0
  }

  /// The rows of a lane in order. Most lanes have one.
  private struct LaneRows {
    /// Ready, out, or backing off.
    var first: Int64
    /// Wait for it.
    var others = Queue<Int64>()

    var count: Int { 1 + others.count }

    mutating func insert(_ sequence: Int64) {
      if let last = others.last, last > sequence {
        let rows = Array(others)
        let place = rows.firstIndex { $0 > sequence } ?? rows.endIndex
        others = Queue(rows[..<place] + [sequence] + rows[place...])
      } else {
        others.append(sequence)
      }
    }
  }

  private(set) var entries: [Int64: Entry] = [:]
  private var lanes: [Lane: LaneRows] = [:]
  private var ready = Queue<Int64>()
  private var inFlight: [UInt64: Int64] = [:]
  private var backingOff: [Int64: Duration] = [:]
  private var nextToken: UInt64 = 1
  private(set) var bytes = 0
  /// The earliest moment at which a row that failed may be tried again.
  private(set) var nextRetry: Duration?

  var count: Int { entries.count }
  var inFlightCount: Int { inFlight.count }
  var backingOffCount: Int { backingOff.count }
  var hasReady: Bool { !ready.isEmpty }

  func contains(_ sequence: Int64) -> Bool { entries[sequence] != nil }

  func count(in lane: Lane) -> Int { lanes[lane]?.count ?? 0 }

  func sequence(of token: UInt64) -> Int64? { inFlight[token] }

  /// - Parameter bytes: of its message.
  mutating func admit(_ row: OutboxRow, of bytes: Int, lane: Lane, partition: TopicPartition) {
    entries[row.sequence] = Entry(row: row, lane: lane, partition: partition, bytes: bytes)
    self.bytes += bytes
    guard let index = lanes.index(forKey: lane) else {
      lanes[lane] = LaneRows(first: row.sequence)
      return ready.append(row.sequence)
    }
    lanes.values[index].insert(row.sequence)
    if Mutation.manyUnacknowledgedPerKey.isOn { ready.append(row.sequence) }
  }

  /// Takes up to `limit` rows that may go out, each with the token that its report will carry.
  mutating func send(limit: Int, at now: Duration) -> [(token: UInt64, message: OutgoingMessage)] {
    var batch: [(token: UInt64, message: OutgoingMessage)] = []
    batch.reserveCapacity(min(limit, ready.count))
    while batch.count < limit, let sequence = ready.popFirst() {
      guard let index = entries.index(forKey: sequence) else { continue }
      entries.values[index].sentAt = now
      inFlight[nextToken] = sequence
      batch.append((nextToken, entries.values[index].row.message))
      nextToken += 1
    }
    return batch
  }

  /// The producer had no room for these: they are the next to go.
  mutating func takeBack(_ tokens: some Collection<UInt64>) {
    ready.prepend(contentsOf: tokens.compactMap { inFlight.removeValue(forKey: $0) })
  }

  /// A row arrived: it leaves, and the next of its key may go.
  ///
  /// - Returns: nil for a token of a window that was forgotten.
  mutating func acknowledge(_ token: UInt64) -> Entry? {
    guard let sequence = inFlight.removeValue(forKey: token), let entry = entries.removeValue(forKey: sequence) else {
      return nil
    }
    bytes -= entry.bytes
    if let next = advance(entry.lane) { ready.append(next) }
    return entry
  }

  /// The first row of a lane is done with.
  ///
  /// - Returns: the one that is first now.
  private mutating func advance(_ lane: Lane) -> Int64? {
    guard let index = lanes.index(forKey: lane) else { return nil }
    guard let next = lanes.values[index].others.popFirst() else {
      lanes.remove(at: index)
      return nil
    }
    lanes.values[index].first = next
    return next
  }

  /// A row did not arrive.
  mutating func fail(_ token: UInt64) -> Entry? {
    guard let sequence = inFlight.removeValue(forKey: token) else { return nil }
    entries[sequence]?.failures += 1
    return entries[sequence]
  }

  /// The row, and with it its key, waits until `moment`.
  mutating func backOff(_ sequence: Int64, until moment: Duration) {
    backingOff[sequence] = moment
    nextRetry = min(nextRetry ?? moment, moment)
    if Mutation.keyGoesOnAfterFailure.isOn, let lane = entries[sequence]?.lane {
      if let next = advance(lane) { ready.append(next) }
    }
  }

  /// Rows whose wait is over may go again.
  mutating func retryDue(at now: Duration) {
    guard let nextRetry, nextRetry <= now else { return }
    for sequence in backingOff.filter({ $0.value <= now }).keys.sorted() {
      backingOff[sequence] = nil
      ready.append(sequence)
    }
    self.nextRetry = backingOff.values.min()
  }

  /// Takes a key's rows out of memory. Only for a lane whose first row is neither ready nor out.
  mutating func setAside(_ lane: Lane) -> [Entry] {
    guard let rows = lanes.removeValue(forKey: lane) else { return [] }
    return ([rows.first] + rows.others).compactMap { sequence in
      guard let entry = entries.removeValue(forKey: sequence) else { return nil }
      bytes -= entry.bytes
      backingOff[sequence] = nil
      return entry
    }
  }

  /// Forgets every row. Reports of what is out will find nothing.
  mutating func forget() {
    let token = nextToken
    self = RelayWindow()
    nextToken = token
  }
}
