import FaultInjection
import WireFormat

/// The rows: read in order, sent a bounded window ahead, marked from their reports.
extension RelayMachine {
  mutating func publish(at now: Duration) -> RelayAction? {
    guard phase == .publishing || phase == .stopping, let lease else { return nil }
    if phase == .publishing, producerTrouble == nil, !isProducerFull, window.hasReady {
      let messages = window.send(limit: 1_000, at: now)
      return .send(Mutation.traceOfTheDelivery.isOn ? Self.inOneTrace(messages) : messages)
    }
    // Large marks take as long as their rows took to publish: the store makes them while the next are on their way.
    if areMarksUrgent, let marks = mark(with: lease, at: now) { return marks }
    if phase == .publishing, let page = read(at: now) { return page }
    if let marks = mark(with: lease, at: now) { return marks }
    if phase == .stopping {
      let isDone = window.inFlightCount == 0 && (unmarked.isEmpty || evidence != nil)
      return isDone || now >= stopsAt ?? now ? .releaseLease(lease) : nil
    }
    return askCommitted(at: now)
  }

  // MARK: Reading

  /// Whether another page may be read. A quarter has to be free: many small pages cost more than a few large ones.
  var hasRoom: Bool {
    let rows = window.count - gates.stuckRows
    return !isWindowFull && rows <= configuration.maximumRows * 3 / 4
      && unmarked.count < configuration.maximumUnmarkedRows
      && window.bytes - gates.stuckBytes < configuration.maximumBytes
      && window.count < configuration.maximumRows * 4
  }

  private func mayTake(_ bytes: Int) -> Bool {
    let rows = window.count - gates.stuckRows
    let taken = window.bytes - gates.stuckBytes
    return rows < configuration.maximumRows && (taken <= 0 || taken + bytes <= configuration.maximumBytes)
  }

  private mutating func read(at now: Duration) -> RelayAction? {
    guard producerTrouble == nil, now >= nextRead else { return nil }
    if mayHaveMore, hasRoom { return .read(after: readAfter, limit: configuration.pageSize, .ahead) }
    if isSweepDue, !Mutation.lastSeenCursor.isOn {
      isSweepDue = false
      if sweepAfter >= readAfter { sweepAfter = 0 }
      return readAfter > 0 ? .read(after: sweepAfter, limit: configuration.pageSize, .sweep) : nil
    }
    return nil
  }

  mutating func takeRows(
    _ answer: Result<[OutboxRow], StoreFailure>, limit: Int, _ read: RelayRead, at now: Duration
  ) {
    switch answer {
    case .failure(let failure):
      notices.storeFails(failure)
      nextRead = now + configuration.slowPoll
    case .success(let rows):
      notices.storeWorks()
      nextRead = now
      switch read {
      case .ahead: readAhead(rows, isLastPage: rows.count < limit, at: now)
      case .sweep: sweep(rows, isLastPage: rows.count < limit, at: now)
      }
    }
  }

  private mutating func readAhead(_ rows: [OutboxRow], isLastPage: Bool, at now: Duration) {
    let known = known(among: rows)
    for row in rows {
      guard known.contains(row.sequence) || take(row, at: now) else { return }
      readAfter = max(readAfter, row.sequence)
    }
    if isLastPage { mayHaveMore = false }
  }

  /// Rows at or below `readAfter` should all be in memory, skipped, or published. One that is not has become
  /// unpublished again. Beyond `readAfter` nothing is taken here: a row must not overtake one that is still to be read.
  private mutating func sweep(_ rows: [OutboxRow], isLastPage: Bool, at now: Duration) {
    let known = known(among: rows)
    for row in rows where row.sequence <= readAfter {
      guard known.contains(row.sequence) || take(row, at: now) else { return }
      sweepAfter = row.sequence
    }
    if isLastPage || rows.last.map({ $0.sequence > readAfter }) ?? true { sweepAfter = 0 }
  }

  /// Which of `rows`, in order, are in memory already. Most pages are read for the first time.
  private func known(among rows: [OutboxRow]) -> Set<Int64> {
    guard let first = rows.first?.sequence, let last = rows.last?.sequence, first <= highestTaken else { return [] }
    let range = first...max(first, last)
    var known = Set(window.sequences.filter(range.contains))
    for receipt in unmarked where range.contains(receipt.sequence) { known.insert(receipt.sequence) }
    return known
  }

  /// - Returns: false when there is no room: this row, and all after it, are for later.
  private mutating func take(_ row: OutboxRow, at now: Duration) -> Bool {
    let lane = RelayWindow.Lane(of: row)
    if skipped.contains(lane, skipping: row.sequence) { return true }
    if window.count(in: lane) >= configuration.maximumRowsPerKey {
      skipped.skip(lane, from: row.sequence, until: nil)
      return true
    }
    let partition = partition(of: row.message, keyHash: lane.keyHash)
    let bytes = row.message.byteCount
    switch gates.admit(row.sequence, bytes: bytes, for: partition, hasRoom: mayTake(bytes), at: now) {
    case .closed: return true
    case .noRoom:
      isWindowFull = true
      return false
    case .entered:
      highestTaken = max(highestTaken, row.sequence)
      window.admit(row, of: bytes, lane: lane, partition: partition)
      return true
    }
  }

  /// Where the producer's partitioner will put it, as far as that can be told.
  private func partition(of message: OutgoingMessage, keyHash: UInt32?) -> TopicPartition {
    guard let keyHash, let count = partitionCounts[message.topic] else { return TopicPartition(message.topic, -1) }
    return TopicPartition(message.topic, MurmurPartitioner.partition(hash: keyHash, partitions: count))
  }

  mutating func rescan() {
    rewind(to: 0)
    sweepAfter = 0
  }

  mutating func rewind(to sequence: Int64) {
    mayHaveMore = true
    if Mutation.lastSeenCursor.isOn { return }
    readAfter = min(readAfter, max(0, sequence - 1))
  }

  mutating func forgetRows() {
    window.forget()
    gates.forgetRows()
    skipped = SkippedLanes()
    isWindowFull = false
    rescan()
  }

  // MARK: Sending

  mutating func sent(_ answer: Result<Int, BrokerError>, tokens: [UInt64], at now: Duration) {
    switch answer {
    case .success(let accepted):
      if Mutation.markBeforeReport.isOn { markUnseen(tokens.prefix(accepted)) }
      guard accepted < tokens.count else { return }
      window.takeBack(tokens.dropFirst(accepted))
      isProducerFull = true
    case .failure(let error):
      producerBroke(error, at: now)
    }
  }

  mutating func takeReports(_ reports: [DeliveryReport], at now: Duration) {
    var fatal: BrokerError?
    for report in reports {
      switch report.result {
      case .success(let position): acknowledged(report.token, at: position, now: now)
      case .failure(let error):
        if Mutation.markAfterFailure.isOn { markUnseen([report.token]) }
        failed(report.token, error, at: now)
        if error.isFatal { fatal = error }
      }
    }
    if let fatal, producerTrouble == nil { producerBroke(fatal, at: now) }
  }

  /// For mutations: as if the broker had acknowledged.
  private mutating func markUnseen(_ tokens: some Collection<UInt64>) {
    for sequence in tokens.compactMap(window.sequence(of:)) {
      let nowhere = RecordPosition(topicPartition: TopicPartition("", -1), offset: nil)
      unmarked.append(PublicationReceipt(sequence: sequence, position: nowhere))
    }
  }

  /// For mutations: as if all of a batch came about in the trace of its first message.
  private static func inOneTrace(
    _ messages: [(token: UInt64, message: OutgoingMessage)]
  ) -> [(token: UInt64, message: OutgoingMessage)] {
    let isTrace = { (header: Header) in header.name == TraceContext.headerName }
    guard let trace = messages.first?.message.headers.first(where: isTrace) else { return messages }
    return messages.map { token, message in
      var message = message
      message.headers.removeAll(where: isTrace)
      message.headers.append(trace)
      return (token, message)
    }
  }

  private mutating func acknowledged(_ token: UInt64, at position: RecordPosition, now: Duration) {
    guard let entry = window.acknowledge(token) else { return }
    isWindowFull = false
    unmarked.append(PublicationReceipt(sequence: entry.row.sequence, position: position))
    gates.acknowledged(entry.bytes, for: entry.partition, at: position, now: now)
    if !skipped.isEmpty,
      let sequence = skipped.drained(
        entry.lane, to: window.count(in: entry.lane), of: configuration.maximumRowsPerKey)
    {
      rewind(to: sequence)
    }
    if let offset = position.offset,
      let highest = highestAcknowledged.updateValue(offset, forKey: position.topicPartition), offset <= highest
    {
      highestAcknowledged[position.topicPartition] = highest
      suspect("\(position.topicPartition) acknowledged \(highest), and then \(offset)", at: now)
    }
    observed.published += 1
    observed.latencies.append(now - entry.sentAt)
    if window.backingOffCount == 0 { notices.deliveriesWork() }
  }

  private mutating func failed(_ token: UInt64, _ error: BrokerError, at now: Duration) {
    guard let failed = window.fail(token) else { return }
    let entry = failed.entry
    observed.failures += 1
    guard error.kind == .permanent || error.kind == .unsupported else {
      notices.deliveryFails(error, entry)
      let pause = configuration.retry.backoff(afterAttempt: entry.failures, using: &random)
      return window.backOff(failed, until: now + pause)
    }
    // It would fail the same way at once, and it may be large: it waits in the store, and its key behind it.
    notices.add(.rowRefused(error, sequence: entry.row.sequence, topic: entry.row.message.topic))
    isWindowFull = false
    for row in window.setAside(entry.lane) { gates.left(row.bytes, for: row.partition) }
    let pause = configuration.refusedRowRetry
    let jitter = pause * Double.random(in: 0...0.5, using: &random)
    skipped.skip(entry.lane, from: entry.row.sequence, until: now + pause + jitter)
  }

  // MARK: Marking

  /// Marks go one after another, and none while it is doubtful whether the broker has what it acknowledged.
  var mayMark: Bool { !unmarked.isEmpty && marking == nil && evidence == nil }

  /// At the end, and where many have gathered, the interval does not count.
  private var areMarksUrgent: Bool {
    phase == .stopping || unmarked.count >= configuration.maximumUnmarkedRows / 4
  }

  func markDeadline(at now: Duration) -> Duration {
    areMarksUrgent && markFailures == 0 ? now : nextMark
  }

  private mutating func mark(with lease: RelayLease, at now: Duration) -> RelayAction? {
    guard mayMark, now >= markDeadline(at: now) else { return nil }
    marking = lease
    nextMark = now + configuration.markInterval
    // Not all at once: other writes wait meanwhile. And neighbours in the store one after another.
    let receipts = unmarked.prefix(max(1, configuration.maximumUnmarkedRows / 4))
    return .mark(receipts.sorted { $0.sequence < $1.sequence }, lease)
  }

  mutating func marked(_ answer: MarkAnswer, at now: Duration) {
    // Of a lease that was lost, or of an epoch that has passed: what it was about is forgotten, or was sent again.
    guard marking == answer.lease else { return }
    marking = nil
    switch answer.result {
    case .success:
      unmarked.removeFirst(answer.receipts.count)
      markFailures = 0
      notices.storeWorks()
    case .failure(.leaseLost):
      loseLease(reason: "another relay has it", at: now)
    case .failure(let failure):
      markFailures += 1
      nextMark = now + backoff(markFailures)
      notices.storeFails(failure)
    }
  }

  mutating func forgetReceipts() {
    unmarked.removeAll()
    marking = nil
  }

  // MARK: Following the consumers

  var followsConsumers: Bool {
    configuration.maxUnconsumedBytesPerPartition != nil && gates.hasUnconsumed
  }

  private mutating func askCommitted(at now: Duration) -> RelayAction? {
    guard configuration.maxUnconsumedBytesPerPartition != nil else { return nil }
    if committedCalls.isEmpty, now >= nextCommittedCall {
      committedAnswers = [:]
      let partitions = Dictionary(grouping: gates.unconsumedPartitions, by: \.topic)
      for (topic, groups) in configuration.consumerGroups.sorted(by: { $0.key < $1.key }) {
        guard let partitions = partitions[topic] else { continue }
        committedCalls += groups.map { ($0, partitions) }
      }
    }
    return committedCalls.last.map { .askCommitted(group: $0.group, $0.partitions) }
  }

  /// The next round counts from the answer: a question that takes longer than the pause would else be asked again in the
  /// same turn, for ever, and nothing of the relay would be heard or stopped meanwhile.
  mutating func committedAnswered(
    _ group: String, _ answer: Result<[TopicPartition: Int64], BrokerError>, at now: Duration
  ) {
    guard let call = committedCalls.popLast() else { return }
    nextCommittedCall = now + .milliseconds(100)
    guard case .success(let offsets) = answer else {
      committedCalls = []
      nextCommittedCall = now + .seconds(1)
      return
    }
    for partition in call.partitions { committedAnswers[partition, default: []].append(offsets[partition] ?? 0) }
    guard committedCalls.isEmpty else { return }
    for (partition, offsets) in committedAnswers { gates.consumed(before: offsets.min() ?? 0, of: partition) }
    if let sequence = gates.reopen() { rewind(to: sequence) }
  }
}
