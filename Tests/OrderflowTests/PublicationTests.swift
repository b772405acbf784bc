import Messaging
import Testing
import WireFormat

@testable import orderflow

struct PublicationTests {
  private func finding(_ change: (inout Observation) -> Void) -> Finding {
    var observation = VerifyFixture.healthy()
    change(&observation)
    return EverythingIsPublishedInOrder.check(ObservationIndex(observation))
  }

  @Test func anUnpublishedRowIsSeen() {
    #expect(!finding { $0.outbox[0].isPublished = false }.holds)
  }

  @Test func aPublishedRowThatIsNotOnTheTopicIsSeen() {
    #expect(!finding { $0.records.removeLast() }.holds)
  }

  @Test func aLastStepThatIsInNoOutboxAndOnNoTopicIsSeen() {
    func loseTheLastStep(_ observation: inout Observation, isQuiet: Bool) {
      observation.outbox.removeLast()
      observation.records.removeLast()
      observation.isQuiet = isQuiet
    }

    #expect(!finding { loseTheLastStep(&$0, isQuiet: true) }.holds)
    #expect(finding { loseTheLastStep(&$0, isQuiet: false) }.holds)
  }

  @Test func aRowThatTheLogHasDroppedIsNotMissed() {
    let finding = finding { observation in
      observation.records.removeFirst(2)
      observation.logs[VerifyFixture.partition] = 2..<7
    }

    #expect(finding.holds)
  }

  @Test func aRowThatWasPublishedAfterTheLookIsNotMissedInMotion() {
    func spoil(_ observation: inout Observation, isQuiet: Bool) {
      observation.records.removeLast()
      observation.logs[VerifyFixture.partition] = 0..<6
      observation.isQuiet = isQuiet
    }

    #expect(finding { spoil(&$0, isQuiet: false) }.holds)
    #expect(!finding { spoil(&$0, isQuiet: true) }.holds)
  }

  @Test func anEventThatIsInNoOutboxIsSeen() {
    #expect(!finding { VerifyFixture.put(VerifyFixture.record("ghost", "a", 3), on: &$0) }.holds)
    #expect(!finding { VerifyFixture.put(VerifyFixture.record(nil, "a", 3), on: &$0) }.holds)
  }

  @Test func recordsOfOthersAreTheirOwnBusiness() {
    #expect(finding { VerifyFixture.put(VerifyFixture.record("x", "y", 9, source: nil), on: &$0) }.holds)
    #expect(finding { VerifyFixture.put(VerifyFixture.record("x", "y", 9, source: "/a"), on: &$0) }.holds)
  }

  @Test func copiesAreAllowed() {
    let finding = finding { observation in
      VerifyFixture.put(VerifyFixture.record("a1", "a", 1), on: &observation)
      VerifyFixture.put(VerifyFixture.record("c2", "c", 2), on: &observation)
    }

    #expect(finding.holds)
    #expect(finding.figure.contains("2 copies"))
  }

  @Test func firstOccurrencesOutOfOrderAreSeen() {
    #expect(!finding { $0.records.swapAt(0, 1) }.holds)
  }

  @Test func aGapInTheVersionsIsSeen() {
    let finding = finding { VerifyFixture.publish("c5", "c", 5, to: &$0) }

    #expect(finding.offenders.first == ["orders, key c: order_version goes 1, 2, 3, 5"])
  }

  @Test func twoServicesMayGiveUpRecordsOfOneKeyInAnyOrder() {
    let finding = finding { observation in
      let place = TopicPartition("orders-dlq", 0)
      for (sequence, source) in [(9, "inventory-service"), (1, "notification-service")] as [(Int64, String)] {
        observation.outbox.append(
          ObservedOutboxRow(
            service: source, sequence: sequence, eventID: "\(source)/x/0", topic: "orders-dlq", isPublished: true,
            partition: 0, offset: 0))
        var record = VerifyFixture.record("\(source)/x/0", "k", 1, source: source)
        record.place = place
        VerifyFixture.put(record, on: &observation)
      }
    }

    #expect(finding.holds)
  }

  @Test func recordsWithoutAKeyComeInNoOrder() {
    let finding = finding { observation in
      for partition in [1, 0] as [Int32] {
        observation.outbox.append(
          ObservedOutboxRow(
            service: "InventoryService", sequence: Int64(partition), eventID: "dl\(partition)", topic: "orders-dlq",
            isPublished: true, partition: partition, offset: 0))
        var record = VerifyFixture.record("dl\(partition)", "", 1, source: "inventory-service")
        record.key = nil
        record.place = TopicPartition("orders-dlq", partition)
        VerifyFixture.put(record, on: &observation)
      }
    }

    #expect(finding.holds)
  }

  @Test func aKeyInTwoPartitionsIsSeen() {
    let finding = finding { observation in
      observation.records[1].place = TopicPartition("orders", 1)
      observation.outbox[1].partition = 1
    }

    #expect(finding.offenders.first == ["orders, key a: is in several partitions"])
  }

  @Test func aKeyWhoseBeginningWasDroppedIsNotJudged() {
    let finding = finding { observation in
      // Dropped: a1. Left: a2, and a copy of a1 behind it.
      observation.records.removeFirst()
      observation.logs[VerifyFixture.partition] = 1..<7
      VerifyFixture.put(VerifyFixture.record("a1", "a", 1), on: &observation)
    }

    #expect(finding.holds)
    #expect(finding.figure.contains("1 keys reach back"))
  }

  @Test func aFinishedDeadLetterIsNotMissedOnANewBroker() {
    func add(_ observation: inout Observation, isOpen: Bool) {
      observation.deadLetters = [VerifyFixture.deadLetter("a1", order: "a", cause: .unreadable, isOpen: isOpen)]
      observation.outbox.append(
        ObservedOutboxRow(
          service: "InventoryService", sequence: 1, eventID: "inventory-service/a1/0", topic: "orders-dlq",
          createdAt: observation.takenAt, publishedAt: observation.takenAt, isPublished: true, partition: 0, offset: 3))
    }

    #expect(finding { add(&$0, isOpen: false) }.holds)
    #expect(!finding { add(&$0, isOpen: true) }.holds)
  }
}
