import EventSchema
import Foundation
import GRDB
import Messaging
import MessagingSQLite
import Testing
import WireFormat

@testable import Notifications

@Suite struct NotificationsMailerTests {
  @Test func pendingMailsAreSentAndMarked() async throws {
    let fixture = try MailerFixture()
    let order = try OrderScript("order-1", [("keyboard", 1)])
    try await fixture.write(order.created(), order.confirmed())
    #expect(try await fixture.states() == ["order-1 ORDER_CREATED: PENDING 0", "order-1 ORDER_CONFIRMED: PENDING 0"])
    fixture.clock.advance(by: .seconds(1))

    #expect(try await fixture.lane().go() != nil)

    #expect(fixture.server.taken == ["order-1 ORDER_CREATED", "order-1 ORDER_CONFIRMED"])
    #expect(try await fixture.states() == ["order-1 ORDER_CREATED: SENT 1", "order-1 ORDER_CONFIRMED: SENT 1"])
    let sent = try await fixture.mails()
    #expect(sent.allSatisfy { $0.delivery.sentAt == fixture.clock.clocks.wall() && $0.delivery.error == nil })
    #expect(try await fixture.onThread { try $0.pending() } == 0)
  }

  @Test func aMailThatIsRefusedForNowIsTriedAgainAndHoldsUpItsOrderOnly() async throws {
    let fixture = try MailerFixture()
    fixture.server.answer("order-1 ORDER_CREATED", .refusedForNow("451 later"), .refusedForNow("451 later"))
    let (first, second) = (try OrderScript("order-1", [("keyboard", 1)]), try OrderScript("order-2", [("mouse", 1)]))
    try await fixture.write(first.created(), first.confirmed(), second.created(), second.confirmed())
    let lane = fixture.lane()

    try await lane.go()
    #expect(fixture.server.taken == ["order-2 ORDER_CREATED", "order-2 ORDER_CONFIRMED"])
    let waiting = try await fixture.mails()[0]
    #expect(waiting.delivery.status == .pending)
    #expect(waiting.delivery.error == "451 later")

    // The ceilings of the first two pauses.
    for pause in [Duration.seconds(1), .seconds(2)] {
      fixture.clock.advance(by: pause)
      try await lane.go()
    }
    #expect(fixture.server.taken.suffix(2) == ["order-1 ORDER_CREATED", "order-1 ORDER_CONFIRMED"])
    #expect(
      try await fixture.states() == [
        "order-1 ORDER_CREATED: SENT 3", "order-1 ORDER_CONFIRMED: SENT 1", "order-2 ORDER_CREATED: SENT 1",
        "order-2 ORDER_CONFIRMED: SENT 1",
      ])
    #expect(try await fixture.mails()[0].delivery.error == nil)
  }

  @Test func aMailThatIsRefusedForGoodHasFailedAndTheNextOfItsOrderGoes() async throws {
    let fixture = try MailerFixture()
    fixture.server.answer("order-1 ORDER_CREATED", .refusedForGood("550 nobody"))
    let order = try OrderScript("order-1", [("keyboard", 1)])
    try await fixture.write(order.created(), order.confirmed())

    try await fixture.lane().go()

    #expect(try await fixture.states() == ["order-1 ORDER_CREATED: FAILED 1", "order-1 ORDER_CONFIRMED: SENT 1"])
    #expect(try await fixture.mails()[0].delivery.error == "550 nobody")
    #expect(try await fixture.mails()[0].delivery.sentAt == nil)
  }

  @Test func aMailThatIsRefusedForDaysHasFailed() async throws {
    let fixture = try MailerFixture()
    try await fixture.write(try OrderScript("order-1", [("keyboard", 1)]).created())
    let lane = fixture.lane()
    for _ in 0..<50 {
      fixture.server.answer("order-1 ORDER_CREATED", .refusedForNow("451 later"))
      try await lane.go()
      fixture.clock.advance(by: .seconds(3 * 3600))
    }

    let mail = try await fixture.mails()[0]
    #expect(mail.delivery.status == .failed)
    #expect(mail.delivery.error == "given up: 451 later")
    #expect(mail.delivery.attempts == 41)
  }

  @Test func aServerThatIsAwayCostsNoMailAnAttemptAndIsProbedWithOneAtATime() async throws {
    let fixture = try MailerFixture()
    for number in 0..<20 { try await fixture.write(try OrderScript("order-\(number)", [("keyboard", 1)]).created()) }
    fixture.server.setAway(true)
    let lane = fixture.lane()

    for attempts in 1...6 {
      let pause = try #require(try await lane.go())
      #expect(fixture.server.tried.count == attempts)
      #expect(pause <= .seconds(15))
      #expect(try await fixture.states().allSatisfy { $0.hasSuffix("PENDING 0") })
      fixture.clock.advance(by: pause)
    }
    fixture.server.setAway(false)
    try await lane.go()

    #expect(fixture.server.taken.count == 20)
    #expect(try await fixture.states().allSatisfy { $0.hasSuffix("SENT 1") })
  }

  @Test func whatADeadProcessHadInHandIsSentAgain() async throws {
    let fixture = try MailerFixture()
    let order = try OrderScript("order-1", [("keyboard", 1)])
    try await fixture.write(order.created(), order.confirmed())
    let dead = MailClaimant(lane: 0, process: ProcessIdentity(processID: .max, startedAt: 1))
    let now = fixture.clock.clocks.wall()
    let claim = try await fixture.onThread { try $0.claim(for: dead, limit: 8, at: now, until: now + .seconds(180)) }
    #expect(claim.mails.map(\.mail.kind) == [.orderCreated])

    try await fixture.lane().go()

    #expect(fixture.server.taken == ["order-1 ORDER_CREATED", "order-1 ORDER_CONFIRMED"])
    #expect(try await fixture.states() == ["order-1 ORDER_CREATED: SENT 2", "order-1 ORDER_CONFIRMED: SENT 1"])
  }

  @Test func theClaimOfALivingProcessStandsUntilItsEndAndCannotBeSettledAfterwards() async throws {
    let fixture = try MailerFixture()
    try await fixture.write(try OrderScript("order-1", [("keyboard", 1)]).created())
    let slow = MailClaimant(lane: 7, process: .current)
    let now = fixture.clock.clocks.wall()
    let claim = try await fixture.onThread { try $0.claim(for: slow, limit: 8, at: now, until: now + .seconds(180)) }
    let lane = fixture.lane()

    fixture.clock.advance(by: .seconds(179))
    try await lane.go()
    #expect(fixture.server.tried.isEmpty)
    fixture.clock.advance(by: .seconds(6))
    try await lane.go()
    #expect(fixture.server.taken == ["order-1 ORDER_CREATED"])

    let settlement = MailSettlement(mail: try #require(claim.mails.first), result: .failed(error: "too late"))
    #expect(try await fixture.onThread { try $0.settle([settlement], by: slow, at: now) } == 0)
    #expect(try await fixture.states() == ["order-1 ORDER_CREATED: SENT 2"])
  }

  @Test func aStopFinishesTheMailInHandAndGivesTheOthersBack() async throws {
    let fixture = try MailerFixture()
    for number in 0..<5 { try await fixture.write(try OrderScript("order-\(number)", [("keyboard", 1)]).created()) }
    let lane = fixture.lane()
    fixture.server.during { [bell = lane.bell] mail in
      if mail.orderID.rawValue == "order-1" { bell.stop(after: .seconds(2)) }
    }

    #expect(try await lane.go() == nil)

    #expect(fixture.server.taken == ["order-0 ORDER_CREATED", "order-1 ORDER_CREATED"])
    #expect(try await fixture.states().suffix(3).allSatisfy { $0.hasSuffix("PENDING 0") })
    #expect(!lane.bell.isInterrupted)
    fixture.clock.advance(by: .seconds(2))
    #expect(lane.bell.isInterrupted)
  }

  /// Several lanes over one store, a server with moods, and a clock that jumps: every mail goes once, and those of an
  /// order one after another.
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func lanesShareTheWorkWithoutSendingTwice(_ seed: UInt64) async throws {
    let fixture = try MailerFixture()
    var random = SeededRandom(seed: seed)
    for number in 0..<12 {
      let order = try OrderScript("order-\(number)", [("keyboard", 1)])
      try await fixture.write(order.created(), order.confirmed(), order.cancelled(version: 3))
      for kind in ["CREATED", "CONFIRMED", "CANCELLED"] where Bool.random(using: &random) {
        fixture.server.answer("order-\(number) ORDER_\(kind)", .refusedForNow("451"), .taken)
      }
    }
    let lanes = (0..<3).map { fixture.lane($0, seed: seed &+ UInt64($0)) }

    for _ in 0..<40 {
      fixture.server.setAway(Int.random(in: 0..<6, using: &random) == 0)
      let together = lanes.shuffled(using: &random).prefix(2)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for lane in together { group.addTask { _ = try await lane.go() } }
        try await group.waitForAll()
      }
      fixture.clock.advance(by: .milliseconds(Int.random(in: 0..<4000, using: &random)))
    }
    fixture.server.setAway(false)
    for _ in 0..<3 {
      fixture.clock.advance(by: .seconds(60))
      for lane in lanes { try await lane.go() }
    }

    let taken = fixture.server.taken
    #expect(taken.count == 36, "seed \(seed)")
    #expect(Set(taken).count == 36, "seed \(seed)")
    for number in 0..<12 {
      #expect(
        taken.filter { $0.hasPrefix("order-\(number) ") }
          == ["CREATED", "CONFIRMED", "CANCELLED"].map { "order-\(number) ORDER_\($0)" }, "seed \(seed)")
    }
  }

  @Test func aMailThatCannotBeReadHasFailedAndHoldsUpNobody() async throws {
    let fixture = try MailerFixture()
    let (first, second) = (try OrderScript("order-1", [("keyboard", 1)]), try OrderScript("order-2", [("mouse", 1)]))
    try await fixture.write(first.created(), second.created(), first.confirmed())
    try await fixture.database.write { transaction in
      try transaction.database.execute(sql: "UPDATE emails SET items = 'nonsense' WHERE sequence = 1")
    }

    try await fixture.lane().go()

    #expect(fixture.server.taken.sorted() == ["order-1 ORDER_CONFIRMED", "order-2 ORDER_CREATED"])
    let damaged = try await fixture.database.read { database in
      try String.fetchAll(database, sql: "SELECT status || ': ' || error FROM emails WHERE sequence = 1")
    }
    #expect(damaged == ["FAILED: row 1 of emails cannot be read"])
  }

  @Test func noQuestionOfTheMailerScansTheMailbox() async throws {
    let fixture = try MailerFixture()
    for (sql, count) in [
      (MailQueue.nextDue.text, 1), (MailQueue.claim.text, 4), (MailQueue.release.text, 3),
      (MailQueue.sending.text, 1), (MailQueue.pendingCount.text, 0), (MailStore.newer, 2),
    ] {
      let plan = try await fixture.database.write { transaction in
        try Row.fetchAll(
          transaction.database, sql: "EXPLAIN QUERY PLAN " + sql,
          arguments: StatementArguments(Array(repeating: 1, count: count))
        ).map { $0["detail"] as String }
      }
      #expect(!plan.contains { $0.hasPrefix("SCAN emails") && !$0.contains("emails_on_their_way") }, "\(sql)\n\(plan)")
      #expect(!plan.contains { $0.contains("ORDER BY") }, "\(sql)\n\(plan)")
    }
  }
}

/// The decisions that a store and a server in memory cannot provoke.
@Suite struct NotificationsMailerMachineTests {
  private let wall = Timestamp(millisecondsSinceEpoch: 1_795_378_867_123)

  @Test func aMailThatIsSentIsSettledHoweverLongTheStoreIsAway() throws {
    var machine = try machineWithClaim(of: 1)
    let settlement = machine.next(after: .delivered(.taken), at: at(1))
    guard case .settle(let settlements) = settlement else { throw Unexpected(settlement) }
    #expect(settlements.map(\.result) == [.sent(at: wall + .seconds(1))])

    let waiting = machine.next(after: .settled(.failure(StoreUnavailable("full"))), at: at(1))
    guard case .wait(let pause) = waiting else { throw Unexpected(waiting) }
    #expect(pause <= .milliseconds(500))
    #expect(machine.takeNotices().last == .storeAway("full"))
    #expect(machine.next(after: .turn(mailsWritten: true), at: at(2)) == .settle(settlements))
    // Nothing else is sent before that is known.
    #expect(machine.next(after: .settled(.success(1)), at: at(2)) == .claim(limit: 8, until: wall + .seconds(182)))
    #expect(machine.takeNotices() == [.storeBack])
  }

  @Test func aMailIsOnlyBegunWhenItCanBeFinishedWithinItsClaim() throws {
    var machine = try machineWithClaim(of: 3)

    let action = machine.next(after: .turn(mailsWritten: false), at: at(125))

    guard case .settle(let settlements) = action else { throw Unexpected(action) }
    #expect(settlements.map(\.result) == Array(repeating: .givenBack(at: wall + .seconds(125)), count: 3))
  }

  @Test func aStopDoesNotWaitForAStoreThatIsAway() throws {
    var machine = try machineWithClaim(of: 1)
    _ = machine.next(after: .delivered(.taken), at: at(1))
    _ = machine.next(after: .settled(.failure(StoreUnavailable("full"))), at: at(1))

    let last = machine.next(after: .turn(mailsWritten: false), at: at(1), isStopping: true)

    guard case .settle = last else { return #expect(last == .finish) }
    let end = machine.next(after: .settled(.failure(StoreUnavailable("full"))), at: at(1), isStopping: true)
    #expect(end == .finish)
  }

  @Test func aClaimThatOthersHaveTakenIsToldOf() throws {
    var machine = try machineWithClaim(of: 1)
    _ = machine.next(after: .delivered(.taken), at: at(1))
    _ = machine.next(after: .settled(.success(0)), at: at(1))
    #expect(machine.takeNotices().contains(.claimLost(1)))
  }

  @Test(arguments: [
    (SMTPStage.connection, 0, "away"), (.connection, 554, "away"), (.recipient, 421, "away"), (.sender, 530, "away"),
    (.sender, 0, "away"), (.sender, 550, "away"), (.sender, 451, "now"), (.sender, 552, "good"),
    (.recipient, 450, "now"), (.recipient, 550, "good"), (.recipient, 250, "now"), (.message, 354, "now"),
    (.message, 452, "now"), (.message, 554, "good"), (.message, 0, "now"),
  ])
  func whatHappensToAMailIsDecidedByTheStageAndTheReply(_ stage: SMTPStage, _ reply: Int, _ decision: String) {
    let outcomes: [String: MailOutcome] = [
      "away": .serverAway("why"), "now": .refusedForNow("why"), "good": .refusedForGood("why"),
    ]
    #expect(MailOutcome(failedAt: stage, reply: reply, "why") == outcomes[decision])
  }

  private func at(_ seconds: Int) -> MailerTime {
    MailerTime(elapsed: .seconds(seconds), wall: wall + .seconds(seconds))
  }

  /// A machine that has claimed at the start, and is about to deliver.
  private func machineWithClaim(of count: Int) throws -> MailerMachine {
    var machine = MailerMachine(MailerConfiguration(), random: SeededRandom(seed: 1))
    let mails = try (1...count).map { ClaimedMail(sequence: Int64($0), mail: try mail(order: "order-\($0)")) }
    #expect(machine.next(after: .turn(mailsWritten: false), at: at(0)) == .takeBack)
    #expect(machine.next(after: .tookBack(.success(0)), at: at(0)) == .claim(limit: 8, until: wall + .seconds(180)))
    #expect(
      machine.next(after: .claimed(.success(MailClaim(mails: mails, nextDue: nil))), at: at(0)) == .deliver(mails[0]))
    return machine
  }

  private struct Unexpected: Error {
    let action: MailerAction
    init(_ action: MailerAction) { self.action = action }
  }
}
