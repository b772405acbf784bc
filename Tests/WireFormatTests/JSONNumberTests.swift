import Testing
import WireFormat

@Suite struct JSONNumberTests {
  @Test(
    arguments: [
      ("0", 0), ("-0", 0), ("0.000", 0), ("0e99999999999999999999", 0), ("-0.0e-5", 0), ("7", 7), ("-7", -7),
      ("2.0", 2),
      ("1e2", 100), ("1.5e1", 15), ("1500e-2", 15), ("100e-2", 1), ("0.0001e4", 1),
      ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min), ("922337203685477580.7e1", Int64.max),
      ("9223372036854775807.000", Int64.max), ("1e18", 1_000_000_000_000_000_000),
    ] as [(String, Int64)])
  func wholeNumbersAreExact(literal: String, value: Int64) throws {
    #expect(try number(literal).int64 == value)
  }

  @Test(arguments: [
    "0.5", "1.0001", "15e-1", "1e-400", "1e99", "1e19", "1e99999999999999999999", "1e-99999999999999999999",
    "9223372036854775808", "-9223372036854775809", "18446744073709551616", "99999999999999999999999999",
    "1.00000000000000000000000000001", "1000000000000000000000000e-1",
  ])
  func whatIsNoWholeNumberOfTheRangeIsNil(literal: String) throws {
    #expect(try number(literal).int64 == nil)
  }

  @Test(
    arguments: [
      ("49.90", 4990), ("49.9", 4990), ("49.900", 4990), ("49.9000000000000000000000", 4990), ("49", 4900), ("0.01", 1),
      ("-0.01", -1), ("0", 0), ("-0", 0), ("1e2", 10_000), ("4990e-2", 4990), ("0.1e1", 100),
      ("92233720368547758.07", Int64.max), ("-92233720368547758.08", Int64.min),
    ] as [(String, Int64)])
  func hundredthsAreExact(literal: String, value: Int64) throws {
    #expect(try number(literal).scaled(decimals: 2) == value)
  }

  @Test(arguments: [
    "0.001", "49.901", "1e-3", "1e99", "1e-400", "1e99999999999999999999", "92233720368547758.08",
    "92233720368547758.071",
  ])
  func whatHasMoreDecimalsOrIsTooLargeIsNil(literal: String) throws {
    #expect(try number(literal).scaled(decimals: 2) == nil)
  }

  @Test func noNumberOfDecimalsTraps() throws {
    #expect(try number("5").scaled(decimals: .max) == nil)
    #expect(try number("5").scaled(decimals: .min) == nil)
    #expect(try number("1e5").scaled(decimals: .max) == nil)
    #expect(try number("1e-5").scaled(decimals: .min) == nil)
    #expect(try number("500").scaled(decimals: -2) == 5)
    #expect(try number("5").scaled(decimals: 18) == 5_000_000_000_000_000_000)
    #expect(try number("0").scaled(decimals: .max) == 0)
  }

  @Test func aHundredThousandDigitsAreReadInLinearTime() throws {
    let zeros = String(repeating: "0", count: 100_000)

    #expect(try number("1" + zeros).int64 == nil)
    #expect(try number("1" + zeros + "e-100000").int64 == 1)
    #expect(try number("0." + zeros + "1e100001").int64 == 1)
    #expect(try number("7." + zeros).int64 == 7)
    #expect(try number("1." + zeros + "1").int64 == nil)
    #expect(try number("1e" + zeros + "2").int64 == 100)
  }

  @Test(arguments: ["", "x", "1 ", " 1", "01", "1.", "--1", "1e", "é"])
  func aTextThatIsNoLiteralMakesNoNumber(text: String) {
    #expect(JSONNumber(text) == nil)
  }

  @Test func integersMakeNumbers() {
    #expect(JSONNumber(Int64.min).int64 == .min)
    #expect(JSONNumber(42).text == "42")
  }

  private func number(_ literal: String) throws -> JSONNumber { try #require(JSONNumber(literal)) }
}
