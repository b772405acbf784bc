import Testing
import WireFormat

@Suite struct JSONParserTests {
  @Test func everyKindOfValueIsRead() throws {
    let json = try parse(#" { "a" : [ 1 , -2.50 , true , false , null , "x" ] , "b" : { } , "c" : [ ] } "#)

    let object = try #require(json.object)
    #expect(object.members.map(\.name) == ["a", "b", "c"])
    let elements = try #require(object["a"]?.array)
    #expect(elements.map(\.number?.text) == ["1", "-2.50", nil, nil, nil, nil])
    #expect(elements.map(\.bool) == [nil, nil, true, false, nil, nil])
    #expect(elements.map(\.isNull) == [false, false, false, false, true, false])
    #expect(elements[5].string == "x")
    #expect(object["b"] == .object(JSONObject()))
    #expect(object["c"] == .array([]))
    #expect(object["d"] == nil)
  }

  @Test func ofARepeatedNameTheLastValueCounts() throws {
    let object = try #require(try parse(#"{"a":1,"a":2}"#).object)

    #expect(object["a"]?.number?.int64 == 2)
    #expect(object.members.count == 2)
  }

  @Test(arguments: [
    (#""""#, ""), (#""a b""#, "a b"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
    (#""\u0041\u00e9\u20AC\u0000""#, "Aé€\0"), (#""\uD83D\uDE00""#, "😀"), (#""ü€😀""#, "ü€😀"), (#""ü\n€""#, "ü\n€"),
    ("\"\u{7f}\"", "\u{7f}"),
  ])
  func stringsAreReadWithTheirEscapes(json: String, text: String) throws {
    #expect(try parse(json).string == text)
  }

  @Test(arguments: [
    "0", "-0", "10", "-1", "1.5", "0.001", "49.900", "1e5", "1E+5", "2.5e-3", "1e99", "1e-400",
    "1e99999999999999999999",
  ])
  func numbersKeepTheirLiteral(literal: String) throws {
    #expect(try parse(literal).number?.text == literal)
    #expect(try parse("[\(literal)]").array?.first?.number?.text == literal)
  }

  @Test(arguments: [
    "", " ", "nul", "nulll", "tru", "True", "NaN", "Infinity", "-", "-a", "01", "-01", "00", "1.", ".5", "1.e5", "1e",
    "1e+",
    "+1", "0x10", "1_000", "1,2", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}",
    "{\"a\":1,}", "{a:1}", "{'a':1}", "{\"a\":1 \"b\":2}", "{1:2}", "[1}", "{\"a\":1]", "\"", "\"a", "\"\\", "\"\\x\"",
    "\"\\u12\"", "\"\\u12g4\"", "\"\\uD800\"", "\"\\uDC00\"", "\"\\uD800\\u0041\"", "\"\\uD800\\uD800\"",
    "\"\\uD800x\"",
    "\"\\uDE00\\uD83D\"", "\"\\u\"", "\"a\nb\"", "\"a\u{0}b\"", "\"a\u{1f}b\"", "{} {}", "null\0", "\u{feff}{}",
    "\u{a0}{}",
    "// c\n{}", "{/**/}", "\"a\" x",
  ])
  func whatIsNotJSONIsRefused(text: String) {
    #expect(throws: JSONParseError.self) { try parse(text) }
  }

  @Test(
    arguments: [
      [0x80], [0xC3], [0xC3, 0x28], [0xC0, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0xF8, 0x88],
      [0xFF], [0xFE],
    ] as [[UInt8]])
  func invalidUTF8IsRefused(sequence: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    let escape = Array("\\n".utf8)

    for bytes in [[quote] + sequence + [quote], [quote] + escape + sequence + [quote], sequence, [quote] + sequence] {
      #expect(throws: JSONParseError.self) { try JSONValue(parsing: bytes) }
    }
  }

  /// Strings are read and written eight bytes at a time.
  @Test(arguments: 1...40)
  func whatIsSpecialInAStringIsSeenWhereverItStands(length: Int) throws {
    for place in 0..<length {
      for byte in UInt8.min...UInt8.max {
        var text = Array(repeating: UInt8(ascii: "a"), count: length)
        text[place] = byte
        let quoted = [UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")]
        let isPlain = (0x20..<0x80).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
        let read = try? JSONValue(parsing: quoted)
        // An escaped `a` is no escape, and one byte from 0x80 on is no UTF-8.
        try #require((read != nil) == isPlain)
        if isPlain { try #require(read?.string.map { Array($0.utf8) } == text) }

        guard byte < 0x80 else { continue }
        var json = JSONWriter()
        json.string(String(decoding: text, as: UTF8.self))
        try #require((json.bytes == quoted) == isPlain)
        try #require(try JSONValue(parsing: json.bytes).string.map { Array($0.utf8) } == text)
      }
    }
  }

  @Test func theErrorSaysWhatIsWrongAndWhere() {
    #expect(throws: JSONParseError(reason: "unexpected end", offset: 5)) { try parse(#"{"a":"#) }
    #expect(throws: JSONParseError(reason: "unexpected x", offset: 1)) { try parse("[x]") }
    #expect(throws: JSONParseError(reason: "something behind the value", offset: 3)) { try parse("{} ,") }
    #expect(throws: JSONParseError(reason: "a byte order mark", offset: 0)) { try parse("\u{feff}{}") }
  }

  @Test(arguments: ["[", "{\"a\":", "[{\"a\":"])
  func deepNestingIsAnErrorAndNotACrash(opening: String) {
    let bytes = Array(String(repeating: opening, count: 100_000).utf8)

    #expect(throws: JSONParseError.self) { try JSONValue(parsing: bytes) }
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: bytes, maximumDepth: .max) }
  }

  @Test func nestingIsAllowedUpToTheLimit() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }

    #expect(throws: Never.self) { try parse(nested(64)) }
    #expect(throws: JSONParseError.self) { try parse(nested(65)) }
    #expect(throws: Never.self) { try JSONValue(parsing: Array(nested(128).utf8), maximumDepth: .max) }
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: Array(nested(129).utf8), maximumDepth: .max) }
    #expect(throws: Never.self) { try parse("[\(Array(repeating: "[]", count: 1000).joined(separator: ","))]") }
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: Array("[]".utf8), maximumDepth: 0) }
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: Array("[]".utf8), maximumDepth: -1) }
    #expect(throws: Never.self) { try JSONValue(parsing: Array("1".utf8), maximumDepth: 0) }
  }

  @Test func whatWasReadIsWrittenTheSame() throws {
    let text = #"{"a":[1,-2.50,1e99,true,false,null,"x\n\"é😀"],"b":{},"c":[],"\u0001":""}"#

    #expect(String(decoding: try parse(text).jsonBytes, as: UTF8.self) == text)
  }

  private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }
}
