import FaultInjection

/// The rows that a relay has in memory: which may go out, which are out, and which wait behind another of their key.
///
/// At most one row of a key is out at a time. So whatever fails and is tried again, the first copies of a key's rows are
/// on the topic in the order of their sequence.
struct RelayWindow: Sendable {
  /// What is in order among itself: the rows of a key. A row without a key is alone.
  struct Lane: Hashable, Sendable {
    private let topic: String
    private let key: [UInt8]?
    /// The row's, where it has no key.
    private let sequence: Int64?
    /// Made once: a lane is looked up several times for each of its rows. Of a key the partitioner's hash.
    private let digest: Int64

    init(of row: OutboxRow) {
      topic = row.message.topic
      key = row.message.key
      sequence = key == nil ? row.sequence : nil
      digest = key.map { Int64(MurmurPartitioner.hash($0)) } ?? row.sequence
    }

    /// Nil without a key.
    var keyHash: UInt32? { key == nil ? nil : UInt32(truncatingIfNeeded: digest) }

    func hash(into hasher: inout Hasher) { hasher.combine(digest) }
  }

  struct Entry: Sendable {
    let row: OutboxRow
    let lane: Lane
    let partition: TopicPartition
    let bytes: Int
    /// Which its report will carry; nil while it is not out.
    fileprivate(set) var token: UInt64?
    /// When it was handed to the producer last.
    fileprivate(set) var sentAt: Duration = .zero
    fileprivate(set) var failures = 0

    /// - Returns: nil where it is out already.
    fileprivate mutating func goOut(_ token: UInt64, at now: Duration) -> OutgoingMessage? {
      guard self.token == nil else { return nil }
      self.token = token
      sentAt = now
      return row.message
    }
  }

  /// Where an entry lies, until it leaves.
  fileprivate struct Slot: Hashable, Sendable {
    var index: Int
  }

  /// The entries of a lane in order. Most lanes have one.
  private struct LaneSlots {
    /// Ready, out, or backing off.
    var first: Slot?
    /// Wait for it.
    var others = Queue<Slot>()

    var count: Int { (first == nil ? 0 : 1) + others.count }

    /// - Returns: whether it is the first.
    mutating func add(_ slot: Slot, of entries: [Entry?]) -> Bool {
      guard first != nil else {
        first = slot
        return true
      }
      let sequence = { (slot: Slot) in entries[slot.index]?.row.sequence ?? .max }
      if let last = others.last, sequence(last) > sequence(slot) {
        let slots = Array(others)
        let place = slots.firstIndex { sequence($0) > sequence(slot) } ?? slots.endIndex
        others = Queue(slots[..<place] + [slot] + slots[place...])
      } else {
        others.append(slot)
      }
      return false
    }
  }

  /// Found by their place: several dictionaries of all rows were a sixth of the relay's time.
  private var entries: [Entry?] = []
  private var freeSlots: [Slot] = []
  private var lanes: [Lane: LaneSlots] = [:]
  private var ready = Queue<Slot>()
  private var backingOff: [Slot: Duration] = [:]
  private var sendings: UInt64 = 0
  private(set) var count = 0
  private(set) var bytes = 0
  private(set) var inFlightCount = 0
  /// The earliest moment at which a row that failed may be tried again.
  private(set) var nextRetry: Duration?

  var backingOffCount: Int { backingOff.count }
  var hasReady: Bool { !ready.isEmpty }

  /// Of all rows, in no order.
  var sequences: some Sequence<Int64> { entries.lazy.compactMap { $0?.row.sequence } }

  func count(in lane: Lane) -> Int { lanes[lane]?.count ?? 0 }

  func sequence(of token: UInt64) -> Int64? { slot(of: token).flatMap { entries[$0.index]?.row.sequence } }

  /// - Parameter bytes: of its message.
  mutating func admit(_ row: OutboxRow, of bytes: Int, lane: Lane, partition: TopicPartition) {
    let slot = place(Entry(row: row, lane: lane, partition: partition, bytes: bytes))
    let isFirst = lanes[lane, default: LaneSlots()].add(slot, of: entries)
    if isFirst || Mutation.manyUnacknowledgedPerKey.isOn { ready.append(slot) }
  }

  private mutating func place(_ entry: consuming Entry) -> Slot {
    count += 1
    bytes += entry.bytes
    if let slot = freeSlots.popLast() {
      entries[slot.index] = entry
      return slot
    }
    entries.append(entry)
    return Slot(index: entries.count - 1)
  }

  private mutating func remove(_ slot: Slot) -> Entry? {
    guard let entry = entries[slot.index].take() else { return nil }
    freeSlots.append(slot)
    count -= 1
    bytes -= entry.bytes
    if entry.token != nil { inFlightCount -= 1 }
    return entry
  }

  /// Takes up to `limit` rows that may go out, each with the token that its report will carry.
  mutating func send(limit: Int, at now: Duration) -> [(token: UInt64, message: OutgoingMessage)] {
    var batch: [(token: UInt64, message: OutgoingMessage)] = []
    batch.reserveCapacity(min(limit, ready.count))
    while batch.count < limit, let slot = ready.popFirst() {
      let token = makeToken(of: slot)
      guard let message = entries[slot.index]?.goOut(token, at: now) else { continue }
      inFlightCount += 1
      batch.append((token, message))
    }
    return batch
  }

  // MARK: Tokens

  /// The number of the sending, and in the lowest 24 bits where the row lies: 16 million rows are more than any memory
  /// is meant to hold.
  private mutating func makeToken(of slot: Slot) -> UInt64 {
    sendings &+= 1
    return sendings << Self.slotBits | UInt64(slot.index)
  }

  private static let slotBits: UInt64 = 24

  /// - Returns: nil for a token of a window that was forgotten, and for one that has had its report.
  private func slot(of token: UInt64) -> Slot? {
    let slot = Slot(index: Int(token & (1 << Self.slotBits - 1)))
    return slot.index < entries.count && entries[slot.index]?.token == token ? slot : nil
  }

  /// The row is not out any more.
  private mutating func settle(_ token: UInt64) -> Slot? {
    guard let slot = slot(of: token) else { return nil }
    entries[slot.index]?.token = nil
    inFlightCount -= 1
    return slot
  }

  // MARK: What becomes of them

  /// The producer had no room for these: they are the next to go.
  mutating func takeBack(_ tokens: some Collection<UInt64>) {
    ready.prepend(contentsOf: tokens.compactMap { settle($0) })
  }

  /// A row arrived: it leaves, and the next of its key may go.
  ///
  /// - Returns: nil for a token of a window that was forgotten.
  mutating func acknowledge(_ token: UInt64) -> Entry? {
    guard let slot = slot(of: token), let entry = remove(slot) else { return nil }
    if let next = advance(entry.lane) { ready.append(next) }
    return entry
  }

  /// The first row of a lane is done with.
  ///
  /// - Returns: the one that is first now.
  private mutating func advance(_ lane: Lane) -> Slot? {
    guard let index = lanes.index(forKey: lane) else { return nil }
    guard let next = lanes.values[index].others.popFirst() else {
      lanes.remove(at: index)
      return nil
    }
    lanes.values[index].first = next
    return next
  }

  /// A row did not arrive.
  mutating func fail(_ token: UInt64) -> FailedEntry? {
    guard let slot = settle(token) else { return nil }
    entries[slot.index]?.failures += 1
    return entries[slot.index].map { FailedEntry(entry: $0, slot: slot) }
  }

  /// A row that did not arrive, and nothing is decided about it yet.
  struct FailedEntry: Sendable {
    let entry: Entry
    fileprivate let slot: Slot
  }

  /// The row, and with it its key, waits until `moment`.
  mutating func backOff(_ failed: FailedEntry, until moment: Duration) {
    backingOff[failed.slot] = moment
    nextRetry = min(nextRetry ?? moment, moment)
    if Mutation.keyGoesOnAfterFailure.isOn, let next = advance(failed.entry.lane) { ready.append(next) }
  }

  /// Rows whose wait is over may go again.
  mutating func retryDue(at now: Duration) {
    guard let nextRetry, nextRetry <= now else { return }
    let due = backingOff.filter { $0.value <= now }.keys.compactMap { slot in
      entries[slot.index].map { (slot, $0.row.sequence) }
    }
    for (slot, _) in due.sorted(by: { $0.1 < $1.1 }) {
      backingOff[slot] = nil
      ready.append(slot)
    }
    self.nextRetry = backingOff.values.min()
  }

  /// Takes a key's rows out of memory. Only for a lane whose first row is neither ready nor out.
  mutating func setAside(_ lane: Lane) -> [Entry] {
    guard let slots = lanes.removeValue(forKey: lane) else { return [] }
    return ([slots.first].compactMap(\.self) + slots.others).compactMap { slot in
      backingOff[slot] = nil
      return remove(slot)
    }
  }

  /// Forgets every row. Reports of what is out will find nothing.
  mutating func forget() {
    let sendings = sendings
    self = RelayWindow()
    self.sendings = sendings
  }
}
