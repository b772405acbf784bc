import MessagingSQLite
import Testing

@testable import Messaging

/// Rows go out together where there are many, and at once where there is one.
@Suite("Outbox relay: pace")
struct RelayPaceTests {
  @Test func rowsOfManyKeysAreInFlightTogether() throws {
    let world = try RelayWorld()
    world.broker.holdAcknowledgements()
    try world.append((0..<1_500).map { "key-\($0)" })
    let relay = world.relay()

    relay.makeLoop().settle()

    // One after another would be one in flight, and a round trip for each.
    #expect(relay.status().inFlight == 1_500)
  }

  @Test func aSteadyTrickleWaitsForNoBatch() throws {
    let world = try RelayWorld()
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()

    // Not a moment passes: a timer that each new row starts again would never fire.
    for number in 1...100 {
      try world.append("key-\(number % 7)")
      relay.wake()
      loop.settle(3)
      #expect(world.published().count == number)
    }
    #expect(try world.store.unpublished() == [])
  }
}
