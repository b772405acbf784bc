import EventSchema
import Testing
import WireFormat

@Suite struct MoneyTests {
  @Test(arguments: [
    ("49.90", 4990), ("49.9", 4990), ("49.900", 4990), ("0", 0), ("-0", 0), ("-0.05", -5), ("1e3", 100_000),
  ])
  func amountsOfUpToTwoDecimalsAreExact(literal: String, minorUnits: Int64) throws {
    #expect(Money(try #require(JSONNumber(literal)))?.minorUnits == minorUnits)
    #expect(Money(try JSONElement(parsing: Array(literal.utf8)))?.minorUnits == minorUnits)
  }

  @Test(arguments: ["0.001", "49.999", "1e-3", "1e99", "1e-400", "92233720368547758.08"])
  func whatIsNoAmountIsNil(literal: String) throws {
    #expect(Money(try #require(JSONNumber(literal))) == nil)
    #expect(Money(try JSONElement(parsing: Array(literal.utf8))) == nil)
  }

  @Test(arguments: [#""49.90""#, "true", "null", "[1]", "{}"])
  func whatIsNoNumberIsNoAmount(json: String) throws {
    #expect(Money(try JSONElement(parsing: Array(json.utf8))) == nil)
  }

  @Test func amountsAreWrittenWithTwoDecimals() {
    #expect(Money(minorUnits: 4990).description == "49.90")
    #expect(Money(minorUnits: 100_000_000).description == "1000000.00")
    #expect(Money(minorUnits: -1).description == "-0.01")
    #expect(String(decoding: Money.zero.jsonBytes, as: UTF8.self) == "0.00")
  }

  @Test func arithmeticIsExactAndNilBeyondTheRange() {
    #expect(Money(minorUnits: 10) + Money(minorUnits: 20) == Money(minorUnits: 30))
    #expect(Money(minorUnits: 4990) * 3 == Money(minorUnits: 14_970))
    #expect(Money(minorUnits: .max) + Money(minorUnits: 1) == nil)
    #expect(Money(minorUnits: .max) * 2 == nil)
    #expect(Money(minorUnits: 1) < Money(minorUnits: 2))
  }

  @Test func theTotalOfAnOrderIsTheSumOfItsLines() throws {
    let product = try #require(ProductID("p"))
    let dear = OrderItem(productID: product, quantity: 10_000, unitPrice: OrderItem.unitPriceRange.upperBound)
    let absurd = OrderItem(productID: product, quantity: .max, unitPrice: Money(minorUnits: 2))

    #expect(OrderItem.total(of: []) == .zero)
    #expect(OrderItem.total(of: Array(repeating: dear, count: 100)) == Money(minorUnits: 100_000_000_000_000))
    #expect(OrderItem.total(of: [absurd]) == nil)
  }
}
