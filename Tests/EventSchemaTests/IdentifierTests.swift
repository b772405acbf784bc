import EventSchema
import Testing
import WireFormat

@Suite struct IdentifierTests {
  @Test(arguments: ["a", "A", "0", ".", "_", "-", "customer-42", "usb-c_cable.2m", String(repeating: "x", count: 64)])
  func whatIsWithinTheBoundsIsAnIdentifier(text: String) {
    #expect(OrderID(text)?.rawValue == text)
    #expect(ProductID(text)?.description == text)
  }

  @Test(arguments: [
    "", " ", "a b", "a/b", "é", "e\u{301}", "a\0", "a\n", "Ａ", "😀", "a:b", "a'", String(repeating: "x", count: 65),
  ])
  func whatIsOutsideTheBoundsIsNone(text: String) {
    #expect(OrderID(text) == nil)
    #expect(EventID(text) == nil)
    #expect(ReservationID(text) == nil)
    #expect(CustomerID(text) == nil)
    #expect(ProductID(text) == nil)
  }

  @Test func ofAllCharactersOfOneByteTheseAreAllowed() {
    let allowed = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    #expect((UInt8.min...127).map { String(UnicodeScalar($0)) }.filter { OrderID($0) != nil }.joined() == allowed)
  }

  @Test func newIdentifiersAscend() {
    let generator = UUIDv7Generator()
    let identifiers = (0..<100).map { _ in OrderID.next(from: generator, at: .now()) }

    #expect(identifiers == identifiers.sorted())
    #expect(Set(identifiers).count == 100)
  }
}
