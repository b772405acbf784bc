import Messaging
import Testing

@testable import MessagingKafka

@Suite("Where an assigned partition starts")
struct KafkaStartPositionTests {
  private static func state(committed: Int64?, _ log: ClosedRange<Int64>) -> CommittedState {
    CommittedState(committed: committed, logStart: log.lowerBound, logEnd: log.upperBound, clusterID: "c")
  }

  @Test(arguments: [
    (StartOffset?.none, Int64?.none, Int64(10), StartPosition.Strangeness?.none),
    (nil, 15, 15, nil),
    (nil, 10, 10, nil),
    (nil, 20, 20, nil),
    (nil, 21, 10, .beyondEnd),
    (nil, 9, 10, .beforeStart),
    (.earliest, 15, 10, nil),
    (.offset(12), 15, 12, nil),
    (.offset(12), nil, 12, nil),
    (.offset(99), 15, 10, .beyondEnd),
    (.offset(0), 15, 10, .beforeStart),
    (.offset(-7), nil, 10, .beforeStart),
  ])
  func startsInsideTheLogAndSaysWhatIsStrange(
    wanted: StartOffset?, committed: Int64?, offset: Int64, strangeness: StartPosition.Strangeness?
  ) {
    let start = StartPosition(wanted: wanted, in: Self.state(committed: committed, 10...20))

    #expect(start.offset == offset)
    #expect(start.strangeness == strangeness)
  }
}

@Suite("What a group member knows")
struct KafkaGroupMembershipTests {
  private let one = TopicPartition("t", 1)
  private let two = TopicPartition("t", 2)

  @Test func nothingIsKnownBeforeTheFirstAssignment() {
    let status = GroupMembership(group: "g").status { _ in nil }
    #expect(status.assignment == nil)
    #expect(status.memberID == nil)
  }

  @Test func anEmptyAssignmentIsOne() {
    var membership = GroupMembership(group: "g")
    membership.assign([:], memberID: "m")
    #expect(membership.status { _ in nil }.assignment?.isEmpty == true)
  }

  @Test func partitionsComeAndGoOneByOne() {
    var membership = GroupMembership(group: "g")
    membership.assign([two: .init(position: 5, committed: 5, logEnd: 9)], memberID: "m")
    membership.assign([one: .init(position: 0, committed: nil, logEnd: 0)], memberID: "m")
    membership.setPaused(true, [two])
    membership.committed(two, at: 7)
    membership.moved(two, to: 8)

    let assignment = membership.status { $0 == one ? 3 : nil }.assignment ?? []
    #expect(assignment.map(\.topicPartition) == [one, two])
    #expect(assignment.map(\.position) == [0, 8])
    #expect(assignment.map(\.committed) == [nil, 7])
    #expect(assignment.map(\.logEnd) == [3, 9])
    #expect(assignment.map(\.isPaused) == [false, true])
    #expect(membership.paused == [two])

    membership.revoke([two])
    #expect(membership.status { _ in nil }.assignment?.map(\.topicPartition) == [one])
  }

  @Test func aPartitionThatIsNotOursIsNotRemembered() {
    var membership = GroupMembership(group: "g")
    membership.assign([:], memberID: "m")
    membership.committed(one, at: 7)
    membership.moved(one, to: 7)
    membership.setPaused(true, [one])
    #expect(membership.status { _ in nil }.assignment?.isEmpty == true)
  }
}

@Suite("Durations for librdkafka")
struct KafkaMillisecondsTests {
  @Test(arguments: [
    (Duration.zero, Int32(0)), (.milliseconds(-5), 0), (.nanoseconds(1), 1), (.milliseconds(5), 5),
    (.microseconds(1500), 2), (.seconds(2), 2000), (.seconds(1_000_000_000), 3_600_000),
  ])
  func areWholeMillisecondsNeverNegativeNeverForEver(_ duration: Duration, _ milliseconds: Int32) {
    #expect(duration.milliseconds == milliseconds)
  }
}

@Suite("A group member's assignment")
struct KafkaMemberAssignmentTests {
  /// Version 0; topic "ab" with partitions 1 and 258, topic "c" with partition 0; user data.
  private static let whole: [UInt8] = [
    0, 0, 0, 0, 0, 2, 0, 2, 97, 98, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 1, 2, 0, 1, 99, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 7,
  ]

  @Test func isReadTopicByTopic() {
    #expect(
      MemberAssignment.partitions(in: Self.whole) == [
        TopicPartition("ab", 1), TopicPartition("ab", 258), TopicPartition("c", 0),
      ])
  }

  @Test func whateverItsBytesAreNothingTraps() {
    for length in 0..<Self.whole.count {
      #expect(MemberAssignment.partitions(in: Array(Self.whole[..<length])).count <= 3)
      var changed = Self.whole
      for value: UInt8 in [0, 127, 128, 255] {
        changed[length] = value
        _ = MemberAssignment.partitions(in: changed)
      }
    }
  }
}
