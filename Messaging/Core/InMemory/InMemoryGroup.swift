/// A consumer group: its members, who has which partition, and what is committed.
///
/// A rebalance only sets each member's `target`. Members give up and take over inside their own `poll`, and a partition
/// is handed over when its old owner has let go: so no two members ever have the same one, unless one was expelled.
struct InMemoryGroup: Sendable {
  struct Fetch: Sendable {
    var position: Int64
    var isPaused = false
  }

  struct Member: Sendable {
    let topics: Set<String>
    var target: Set<TopicPartition> = []
    var owned: [TopicPartition: Fetch] = [:]
    /// Handled, and not committed yet.
    var stored: [TopicPartition: Int64] = [:]
    var hasAssignment = false
    /// Counted as dead by the group; it does not know yet, and joins again when it polls.
    var isExpelled = false
  }

  private(set) var members: [Int: Member] = [:]
  var committed: [TopicPartition: Int64] = [:]

  subscript(member id: Int) -> Member? {
    get { members[id] }
    set { members[id] = newValue }
  }

  /// Gives every partition of `topics` to a member that wants its topic, in turn.
  mutating func rebalance(topics: [String: Int]) {
    let living = members.filter { !$0.value.isExpelled }.keys.sorted()
    for id in members.keys { members[id]?.target = [] }
    var turn = 0
    for (topic, partitions) in topics.sorted(by: { $0.key < $1.key }) {
      let takers = living.filter { members[$0]?.topics.contains(topic) == true }
      guard !takers.isEmpty else { continue }
      for partition in 0..<partitions {
        members[takers[turn % takers.count]]?.target.insert(TopicPartition(topic, Int32(partition)))
        turn += 1
      }
    }
  }

  /// What `id` has to give up now.
  func toRevoke(from id: Int) -> Set<TopicPartition> {
    guard let member = members[id] else { return [] }
    return Set(member.owned.keys).subtracting(member.isExpelled ? [] : member.target)
  }

  /// What `id` can take over now: nobody has it any more.
  func toAssign(to id: Int) -> Set<TopicPartition> {
    guard let member = members[id], !member.isExpelled else { return [] }
    return member.target.filter { partition in
      !members.contains { $0.value.owned[partition] != nil && !$0.value.isExpelled }
    }
  }

  /// Commits what `id` has stored for `partitions` that are its own.
  mutating func commit(_ id: Int, _ partitions: Set<TopicPartition>? = nil) {
    guard var member = members[id], !member.isExpelled else { return }
    for (partition, next) in member.stored where partitions?.contains(partition) ?? true {
      committed[partition] = next
      member.stored[partition] = nil
    }
    members[id] = member
  }
}
