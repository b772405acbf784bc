import Testing
import WireFormat

@Suite struct JSONWriterTests {
  @Test func membersComeInTheOrderWrittenWithoutSpaces() {
    var json = JSONWriter()
    json.object { json in
      json.member("text", "a")
      json.member("whole", 1)
      json.member("truth", true)
      json.member("nothing", Int?.none)
      json.member("something", Int64?.some(-2))
      json.member("list", [1, 2, 3])
      json.member("empty", [String]())
      json.member("inner", object: { json in json.member("x", "y") })
      json.member(
        "things",
        array: { json in
          json.object { json in json.member("a", Int32(1)) }
          json.object { _ in }
          json.array { json in json.value(false) }
          json.decimal(minorUnits: 4990, decimals: 2)
        })
      json.member("raw", raw: Array("[1]".utf8))
      json.member(name: "q\"", 1)
      json.member(name: "o", object: { _ in })
      json.member(name: "r", raw: Array("{}".utf8))
    }

    #expect(
      String(decoding: json.bytes, as: UTF8.self) == #"{"text":"a","whole":1,"truth":true,"nothing":null,"#
        + #""something":-2,"list":[1,2,3],"empty":[],"inner":{"x":"y"},"things":[{"a":1},{},[false],49.90],"#
        + #""raw":[1],"q\"":1,"o":{},"r":{}}"#)
  }

  @Test(arguments: [
    ("", #""""#), ("plain", #""plain""#), ("ü€😀 \u{7f}/", "\"ü€😀 \u{7f}/\""), ("a\"b\\c", #""a\"b\\c""#),
    ("\u{8}\u{9}\u{a}\u{c}\u{d}", #""\b\t\n\f\r""#), ("\u{0}\u{1}\u{1f}", #""\u0000\u0001\u001f""#),
    ("ü\n€", "\"ü\\n€\""),
  ])
  func stringsAreEscapedAsNeeded(text: String, json: String) {
    #expect(String(decoding: text.jsonBytes, as: UTF8.self) == json)
  }

  @Test func everyScalarSurvivesWritingAndReading() throws {
    for value in Array(0..<0x300 as Range<UInt32>) + Array(0xFFF0..<0x10010) + [0xD7FF, 0xE000, 0x10FFFF] {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let text = "a\(scalar)b"
      #expect(try JSONValue(parsing: text.jsonBytes).string == text)
    }
  }

  @Test(
    arguments: [
      (4990, 2, "49.90"), (0, 2, "0.00"), (5, 2, "0.05"), (-5, 2, "-0.05"), (100, 2, "1.00"), (99, 2, "0.99"),
      (7, 0, "7"),
      (0, 0, "0"), (12, 1, "1.2"), (1, 18, "0.000000000000000001"), (Int64.max, 2, "92233720368547758.07"),
      (Int64.min, 2, "-92233720368547758.08"), (Int64.min, 0, "-9223372036854775808"),
    ] as [(Int64, Int, String)])
  func decimalsHaveExactlyTheGivenNumberOfPlaces(minorUnits: Int64, decimals: Int, text: String) throws {
    var json = JSONWriter()
    json.decimal(minorUnits: minorUnits, decimals: decimals)

    #expect(String(decoding: json.bytes, as: UTF8.self) == text)
    #expect(JSONNumber(text)?.scaled(decimals: decimals) == minorUnits)
  }

  @Test func integersAreWrittenToTheEndsOfTheirRange() {
    for value in [Int64.min, -1, 0, 9, 10, 11, 99, 100, .max] {
      #expect(String(decoding: value.jsonBytes, as: UTF8.self) == String(value))
    }
  }

  @Test func anErrorInABodyReachesTheCaller() {
    struct Broken: Error {}
    var json = JSONWriter(reservingCapacity: 0)

    #expect(throws: Broken.self) { try json.object { _ in throw Broken() } }
  }
}
