/// A group member of an ``InMemoryBroker``.
final class InMemoryConsumer: MessageConsumer {
  private let cluster: Monitor<InMemoryCluster>
  private let group: String
  private let listener: any PartitionListener
  private let id: Int

  private enum Event {
    case records([ConsumedRecord])
    case woken
    case closed
    case revoke(Set<TopicPartition>, lost: Bool)
    case assign([TopicPartition: CommittedState])
  }

  init(cluster: Monitor<InMemoryCluster>, group: String, topics: [String], listener: any PartitionListener) {
    self.cluster = cluster
    self.group = group
    self.listener = listener
    id = cluster.change { cluster in
      let id = cluster.newClient()
      cluster.groups[group, default: InMemoryGroup()][member: id] = InMemoryGroup.Member(topics: Set(topics))
      cluster.rebalanceAll()
      return id
    }
  }

  func poll(maximum: Int, timeout: Duration) throws -> [ConsumedRecord] {
    let end = ContinuousClock.now + timeout
    while true {
      let event = cluster.wait(atMost: end - .now) { nextEvent(in: &$0, maximum: maximum) }
      switch event {
      case .records(let records): return records
      case .woken, nil: return []
      case .closed: throw BrokerError.clientClosed
      case .revoke(let partitions, let lost): revoke(partitions, lost: lost)
      case .assign(let partitions): assign(partitions)
      }
    }
  }

  func takeFetched(maximum: Int) -> [ConsumedRecord] {
    cluster.change { cluster in
      guard cluster.isUp, maximum > 0 else { return [] }
      return fetch(in: &cluster, maximum: maximum)
    }
  }

  private func nextEvent(in cluster: inout InMemoryCluster, maximum: Int) -> Event? {
    let isWoken = cluster.wokenConsumers.remove(id) != nil
    guard let known = cluster.groups[group], let member = known[member: id] else { return .closed }
    guard cluster.isUp else { return isWoken ? .woken : nil }
    if let event = rebalanceEvent(in: &cluster, group: known, member: member) {
      if isWoken { cluster.wokenConsumers.insert(id) }
      return event
    }
    let records = fetch(in: &cluster, maximum: maximum)
    if !records.isEmpty { return .records(records) }
    return isWoken ? .woken : nil
  }

  private func rebalanceEvent(
    in cluster: inout InMemoryCluster, group known: InMemoryGroup, member: InMemoryGroup.Member
  ) -> Event? {
    if member.isExpelled { return .revoke(Set(member.owned.keys), lost: true) }
    let toRevoke = cluster.groups[group]?.toRevoke(from: id) ?? []
    if !toRevoke.isEmpty { return .revoke(toRevoke, lost: false) }
    let toAssign = cluster.groups[group]?.toAssign(to: id) ?? []
    if toAssign.isEmpty {
      // Topics that are still to be made are no reason to be content with nothing.
      if member.topics.allSatisfy({ cluster.topics[$0] != nil }) {
        cluster.groups[group]?[member: id]?.hasAssignment = true
      }
      return nil
    }
    var states: [TopicPartition: CommittedState] = [:]
    for partition in toAssign {
      guard let log = cluster.log(partition) else { continue }
      states[partition] = CommittedState(
        committed: known.committed[partition], logStart: log.start, logEnd: log.end, clusterID: cluster.clusterID)
      // Owned from here on: nobody else may begin with it while the listener decides where to start.
      let position = log.clamped(known.committed[partition] ?? log.start)
      cluster.groups[group]?[member: id]?.owned[partition] = InMemoryGroup.Fetch(position: position)
    }
    cluster.groups[group]?[member: id]?.hasAssignment = true
    return .assign(states)
  }

  private func fetch(in cluster: inout InMemoryCluster, maximum: Int) -> [ConsumedRecord] {
    var records: [ConsumedRecord] = []
    let owned = cluster.groups[group]?[member: id]?.owned ?? [:]
    let maximum = min(maximum, cluster.maximumFetch)
    for (partition, fetch) in owned.sorted(by: { $0.key < $1.key })
    where !fetch.isPaused && !cluster.heldPartitions.contains(partition) {
      guard records.count < maximum, let log = cluster.log(partition) else { continue }
      let found = log.read(from: fetch.position, maximum: maximum - records.count)
      let next = found.last.map { $0.offset + 1 } ?? log.clamped(fetch.position)
      cluster.groups[group]?[member: id]?.owned[partition]?.position = next
      records.append(contentsOf: found)
    }
    return records
  }

  private func revoke(_ partitions: Set<TopicPartition>, lost: Bool) {
    if !partitions.isEmpty { listener.revoked(partitions, lost: lost) }
    cluster.change { cluster in
      if !lost { cluster.groups[group]?.commit(id, partitions) }
      for partition in partitions {
        cluster.groups[group]?[member: id]?.owned[partition] = nil
        cluster.groups[group]?[member: id]?.stored[partition] = nil
      }
      guard lost else { return }
      // Who was expelled has noticed now, and joins again.
      cluster.groups[group]?[member: id]?.stored = [:]
      cluster.groups[group]?[member: id]?.isExpelled = false
      cluster.rebalanceAll()
    }
  }

  private func assign(_ partitions: [TopicPartition: CommittedState]) {
    let starts = listener.assigned(partitions)
    cluster.change { cluster in
      for (partition, start) in starts {
        guard let log = cluster.log(partition), partitions[partition] != nil else { continue }
        let position: Int64 = if case .offset(let offset) = start { log.clamped(offset) } else { log.start }
        cluster.groups[group]?[member: id]?.owned[partition]?.position = position
      }
    }
  }

  func store(next: [TopicPartition: Int64]) {
    cluster.change { cluster in
      guard let member = cluster.groups[group]?[member: id], !member.isExpelled else { return }
      for (partition, offset) in next where member.owned[partition] != nil {
        cluster.groups[group]?[member: id]?.stored[partition] = offset
      }
      cluster.commitStored()
    }
  }

  func pause(_ partitions: Set<TopicPartition>) {
    setPaused(partitions, true)
  }

  func resume(_ partitions: Set<TopicPartition>) {
    setPaused(partitions, false)
  }

  private func setPaused(_ partitions: Set<TopicPartition>, _ isPaused: Bool) {
    cluster.change { cluster in
      for partition in partitions { cluster.groups[group]?[member: id]?.owned[partition]?.isPaused = isPaused }
    }
  }

  func seek(_ partition: TopicPartition, to offset: Int64) throws {
    cluster.change { cluster in
      cluster.groups[group]?[member: id]?.owned[partition]?.position = offset
    }
  }

  func wake() {
    cluster.change { _ = $0.wokenConsumers.insert(id) }
  }

  func status() -> ConsumerStatus {
    cluster.withLock { cluster in
      let known = cluster.groups[group]
      let member = known?[member: id]
      let partitions = (member?.owned ?? [:]).sorted { $0.key < $1.key }.map { partition, fetch in
        ConsumerStatus.Partition(
          topicPartition: partition, position: fetch.position, committed: known?.committed[partition],
          logEnd: cluster.log(partition)?.end, isPaused: fetch.isPaused)
      }
      return ConsumerStatus(
        group: group, memberID: member.map { _ in String(id) },
        assignment: member?.hasAssignment == true ? partitions : nil,
        trouble: cluster.isUp ? nil : BrokerError.brokerAway.description)
    }
  }

  func close() {
    let (owned, lost) = cluster.withLock { cluster in
      let member = cluster.groups[group]?[member: id]
      return (Set((member?.owned ?? [:]).keys), member?.isExpelled ?? true)
    }
    if !owned.isEmpty { listener.revoked(owned, lost: lost) }
    cluster.change { cluster in
      if cluster.isUp { cluster.groups[group]?.commit(id) }
      cluster.groups[group]?[member: id] = nil
      cluster.wokenConsumers.remove(id)
      cluster.rebalanceAll()
    }
  }
}
