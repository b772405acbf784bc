import Testing
import WireFormat

@testable import orderflow

struct ItemArgumentTests {
  @Test func anItemHasProductQuantityAndPrice() throws {
    let item = try ItemArgument("keyboard:2:49.90")

    #expect(
      String(decoding: item.jsonBytes, as: UTF8.self)
        == #"{"product_id":"keyboard","quantity":2,"unit_price":49.90}"#)
  }

  @Test func thePriceIsZeroWhenLeftOut() throws {
    #expect(try ItemArgument("mouse:1").price.minorUnits == 0)
  }

  @Test(arguments: [
    "", "keyboard", "keyboard:", ":1", "a b:1", "keyboard:two", "keyboard:1:x", "keyboard:1:1.999", "keyboard:1:2:3",
    "keyboard:99999999999999999999", "keyboard:1:", "keyboard:1:1e99",
  ])
  func whatIsNoItemIsRefusedWithAReason(argument: String) {
    #expect(throws: Failure.self) { try ItemArgument(argument) }
  }
}
