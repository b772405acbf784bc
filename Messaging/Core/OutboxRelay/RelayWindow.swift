import FaultInjection

/// The rows that a relay has in memory: which may go out, which are out, and which wait behind another of their key.
///
/// At most one row of a key is out at a time. So whatever fails and is tried again, the first copies of a key's rows are
/// on the topic in the order of their sequence.
struct RelayWindow: Sendable {
  /// What is in order among itself: the rows of a key. A row without a key is alone.
  enum Lane: Hashable, Sendable {
    case key(topic: String, [UInt8])
    case row(Int64)
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

  private(set) var entries: [Int64: Entry] = [:]
  /// The rows of each lane in order; the first is ready, out, or backing off, the others wait for it.
  private var lanes: [Lane: Queue<Int64>] = [:]
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

  static func lane(of row: OutboxRow) -> Lane {
    if let key = row.message.key { .key(topic: row.message.topic, key) } else { .row(row.sequence) }
  }

  func contains(_ sequence: Int64) -> Bool { entries[sequence] != nil }

  func count(in lane: Lane) -> Int { lanes[lane]?.count ?? 0 }

  func sequence(of token: UInt64) -> Int64? { inFlight[token] }

  mutating func admit(_ row: OutboxRow, lane: Lane, partition: TopicPartition) {
    let entry = Entry(row: row, lane: lane, partition: partition, bytes: row.message.byteCount)
    entries[row.sequence] = entry
    bytes += entry.bytes
    var rows = lanes.removeValue(forKey: lane) ?? Queue()
    if rows.isEmpty || Mutation.manyUnacknowledgedPerKey.isOn { ready.append(row.sequence) }
    if let last = rows.last, last > row.sequence {
      rows.insert(row.sequence, behindFirstBefore: { $0 > row.sequence })
    } else {
      rows.append(row.sequence)
    }
    lanes[lane] = rows
  }

  /// Takes up to `limit` rows that may go out, each with the token that its report will carry.
  mutating func send(limit: Int, at now: Duration) -> [(token: UInt64, message: OutgoingMessage)] {
    var batch: [(token: UInt64, message: OutgoingMessage)] = []
    batch.reserveCapacity(min(limit, ready.count))
    while batch.count < limit, let sequence = ready.popFirst() {
      guard let message = entries[sequence]?.row.message else { continue }
      entries[sequence]?.sentAt = now
      inFlight[nextToken] = sequence
      batch.append((nextToken, message))
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
    var rows = lanes.removeValue(forKey: entry.lane) ?? Queue()
    _ = rows.popFirst()
    if let next = rows.first {
      ready.append(next)
      lanes[entry.lane] = rows
    }
    return entry
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
      _ = lanes[lane]?.popFirst()
      if let next = lanes[lane]?.first { ready.append(next) }
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
    let sequences = lanes.removeValue(forKey: lane) ?? Queue()
    return sequences.compactMap { sequence in
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

extension Queue where Element == Int64 {
  /// Puts `element` before the first element that `isBehind`, but never before the very first.
  fileprivate mutating func insert(_ element: Int64, behindFirstBefore isBehind: (Int64) -> Bool) {
    var elements = Array(self)
    let place = elements.dropFirst().firstIndex(where: isBehind) ?? elements.endIndex
    elements.insert(element, at: place)
    self = Queue(elements)
  }
}
