import Messaging
import Testing
import WireFormat

@testable import orderflow

struct VerdictTests {
  /// The numbers of the invariants that are broken after `change`.
  private func broken(_ change: (inout Observation) -> Void) -> [Int] {
    var observation = VerifyFixture.healthy()
    change(&observation)
    return Verdict(on: observation).findings.filter { !$0.holds }.map(\.number)
  }

  @Test func aStackInOrderHoldsAllSix() {
    let verdict = Verdict(on: VerifyFixture.healthy())

    #expect(verdict.holds)
    #expect(verdict.findings.map(\.number) == [1, 2, 3, 4, 5, 6])
  }

  @Test func anEmptyStackHoldsAllSix() {
    #expect(Verdict(on: Observation()).holds)
  }

  // MARK: 1

  @Test func aPendingOrderIsSeen() {
    #expect(
      broken { observation in
        observation.orders.append(ObservedOrder(id: "d", status: .pending, version: 1, items: [:]))
        observation.mails.append(ObservedMail(orderID: "d", kind: "ORDER_CREATED"))
      } == [1])
  }

  @Test func anAnnouncedOrderThatIsGoneIsSeen() {
    #expect(broken { VerifyFixture.publish("z1", "z", 1, to: &$0) } == [1])
  }

  // MARK: 2

  @Test(arguments: [("a", "REJECTED"), ("a", "RELEASED"), ("b", "RELEASED")])
  func aReservationThatDoesNotFitIsSeen(order: String, status: String) {
    #expect(
      broken { observation in
        for index in observation.reservations.indices where observation.reservations[index].orderID == order {
          observation.reservations[index].status = status
        }
        observation.products[0].reserved = order == "a" ? 0 : 2
        observation.products[0].available = order == "a" ? 10 : 8
      } == [2])
  }

  @Test func aMissingReservationIsSeen() {
    #expect(broken { $0.reservations.removeAll { $0.orderID == "b" } } == [2])
  }

  @Test func aSecondReservationIsSeen() {
    #expect(broken { $0.reservations.append($0.reservations[1]) } == [2])
  }

  @Test func aCancelledOrderNeedsNoReservation() {
    #expect(broken { $0.reservations.removeAll { $0.orderID == "c" } } == [])
  }

  @Test func aPartialReservationIsSeen() {
    #expect(
      broken { observation in
        observation.orders[0].items["mouse"] = 1
      } == [2])
  }

  // MARK: 3

  @Test func aReservedCountThatIsNotTheSumIsSeen() {
    #expect(
      broken { observation in
        observation.products[0].reserved = 3
        observation.products[0].available = 7
      } == [3])
  }

  @Test func stockBelowZeroIsSeen() {
    #expect(
      broken { observation in
        observation.products[0].onHand = 1
        observation.products[0].available = -1
      } == [3])
  }

  @Test func aReservationOfNoProductIsSeen() {
    #expect(broken { $0.products = [] } == [3])
  }

  // MARK: 4

  @Test func aMissingMailIsSeen() {
    #expect(broken { $0.mails.removeFirst() } == [4])
  }

  @Test func aSecondMailIsSeen() {
    #expect(broken { $0.mails.append($0.mails[0]) } == [4])
  }

  @Test func aMailThatTheHistoryDoesNotHaveIsSeen() {
    #expect(broken { $0.mails.append(ObservedMail(orderID: "a", kind: "ORDER_REJECTED")) } == [4])
  }

  @Test func mailsOfOthersOrdersAreNobodysFault() {
    #expect(broken { $0.mails.append(ObservedMail(orderID: "foreign", kind: "ORDER_CREATED")) } == [])
  }

  // MARK: 6 and what is listed apart

  @Test func aDeadLetterOfAFailureIsSeenAndItsOrderListedApart() {
    var observation = VerifyFixture.healthy()
    observation.reservations.removeAll { $0.orderID == "b" }
    observation.deadLetters = [VerifyFixture.deadLetter("b1", order: "b", cause: .failure)]

    let verdict = Verdict(on: observation)

    #expect(verdict.findings.filter { !$0.holds }.map(\.number) == [6])
    #expect(verdict.ordersWithOpenDeadLetter == ["b"])
  }

  @Test func hopelessAndFinishedDeadLettersAreRight() {
    #expect(
      broken { observation in
        observation.deadLetters = [
          VerifyFixture.deadLetter("x", order: nil, cause: .unreadable),
          VerifyFixture.deadLetter("y", order: "foreign", cause: .unknownOrder),
          VerifyFixture.deadLetter("a1", order: "a", cause: .failure, isOpen: false),
        ]
      } == [])
  }

  @Test func foreignReservationsAreListed() {
    var observation = VerifyFixture.healthy()
    observation.reservations.append(ObservedReservation(id: "rz", orderID: "z", status: "REJECTED", items: [:]))

    let verdict = Verdict(on: observation)

    #expect(verdict.holds)
    #expect(verdict.foreignReservations == ["z"])
  }

  @Test func theReportNamesTheFirstFewOffenders() {
    var observation = VerifyFixture.healthy()
    observation.mails = []

    let lines = VerdictReport(verdict: Verdict(on: observation), unrest: nil, offendersShown: 2).lines(palette: .plain)

    #expect(lines.contains("BROKEN  4  One mail per order and kind"))
    #expect(lines.contains("           - order a: no mail ORDER_CREATED"))
    #expect(lines.contains("           - and 5 more"))
    #expect(lines.last == "1 of 6 invariants are broken.")
  }
}
