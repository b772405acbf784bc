import TestSupport
import Testing
import WireFormat

@Suite struct JSONElementTests {
  @Test func everyKindOfValueIsReadWhereItStands() throws {
    let object = try parse(
      #" { "a" : [ 1 , -2.50 , true , false , null , "x" ] , "b" : { } , "c" : [ ] , "d" : "\u0041" , "e" : 7 } "#)

    let elements = Array(try #require(object["a"]?.array))
    #expect(elements.map(\.int64) == [1, nil, nil, nil, nil, nil])
    #expect(elements.map { $0.scaled(decimals: 2) } == [100, -250, nil, nil, nil, nil])
    #expect(elements.map(\.bool) == [nil, nil, true, false, nil, nil])
    #expect(elements.map(\.isNull) == [false, false, false, false, true, false])
    #expect(elements.map(\.string) == [nil, nil, nil, nil, nil, "x"])
    #expect(elements.map(\.isString) == [false, false, false, false, false, true])
    #expect(object["b"]?.isObject == true)
    #expect(object["b"]?["a"] == nil)
    #expect(object["c"]?.array?.count == 0)
    #expect(object["d"]?.string == "A")
    #expect(object["e"]?.int64 == 7)
    #expect(object["e"]?.array == nil)
    #expect(object["e"]?["a"] == nil)
    #expect(object["f"] == nil)
    #expect(JSONElement.emptyObject.isObject)
    #expect(JSONElement.emptyObject["a"] == nil)
  }

  @Test func elementsAreCountedAndLeftOneByOne() throws {
    var elements = try #require(try parse(#"[[1,[2]],{"a":{"b":3}},"x"]"#).array)

    #expect(elements.count == 3)
    #expect(elements.next()?.array?.count == 2)
    #expect(elements.next()?["a"]?["b"]?.int64 == 3)
    #expect(elements.count == 1)
    #expect(elements.next()?.string == "x")
    #expect(elements.next() == nil)
  }

  @Test(arguments: [
    #"{"name":0,"name":1}"#, #"{"name":[0],"nam\u0065":1}"#, #"{"n\u0061me":{"name":0},"name":1,"names":2}"#,
    #"{"name":1,"name\u0000":2,"Name":3,"a":{"name":4}}"#, #"{"":0,"\n":2,"name":1,"z":[{"name":5}]}"#,
  ])
  func aMemberIsFoundByItsNameAndTheLastOneCounts(json: String) throws {
    #expect(try parse(json)["name"]?.int64 == 1)
  }

  @Test func namesOfAnyLengthAreTold() throws {
    let object = try parse(
      #"{"1234567":7,"12345678":8,"123456789":9,"1234567890123456":16,"12345678901234567":17,"é":2}"#)

    #expect(object["1234567"]?.int64 == 7)
    #expect(object["12345678"]?.int64 == 8)
    #expect(object["123456789"]?.int64 == 9)
    #expect(object["1234567890123456"]?.int64 == 16)
    #expect(object["12345678901234567"]?.int64 == 17)
    #expect(object["12345678901234568"] == nil)
    #expect(object["02345678901234567"] == nil)
    #expect(object["12345678X01234567"] == nil)
    #expect(object["é"]?.int64 == 2)
  }

  @Test(arguments: [
    #""2026-11-22T20:21:07.123Z""#, #""2026-11-22T20:21:07.123\u005a""#, #""2026-11-22""#, #""""#, "1790000000", "null",
  ])
  func aMomentIsThatOfItsText(json: String) throws {
    let element = try parse(json)
    #expect(element.timestamp == element.string.flatMap { Timestamp(rfc3339: $0) })
  }

  @Test(arguments: [1, 2, 3, .random(in: 4...UInt64.max)] as [UInt64])
  func whatIsFoundInPlaceIsWhatIsFoundInACopy(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<2000 {
      let element = try parse(Self.object(depth: 3, from: &random))
      compare(element, JSONValue(element), seed)
    }
  }

  private func compare(_ element: JSONElement, _ value: JSONValue, _ seed: UInt64) {
    #expect(JSONValue(element) == value, "seed \(seed)")
    if let elements = element.array {
      for (element, value) in zip(elements, value.array ?? []) { compare(element, value, seed) }
    }
    for (name, text) in [("a", "a"), ("bb", "bb"), ("\u{e9}", "\u{e9}"), ("c", "c")] as [(StaticString, String)] {
      let found = element[name]
      #expect((found == nil) == (value.object?[text] == nil), "seed \(seed)")
      if let found, let expected = value.object?[text] { compare(found, expected, seed) }
    }
  }

  private static func object(depth: Int, from random: inout SeededGenerator) -> String {
    let members = (0..<Int.random(in: 0...5, using: &random)).map { _ in
      let name = [#""a""#, #""bb""#, #""\u0061""#, #""é""#, #""\u00e9""#].randomElement(using: &random) ?? ""
      return "\(name):\(value(depth: depth, from: &random))"
    }
    return "{\(members.joined(separator: ","))}"
  }

  private static func value(depth: Int, from random: inout SeededGenerator) -> String {
    switch Int.random(in: 0...(depth > 0 ? 5 : 3), using: &random) {
    case 0: return "\(Int.random(in: 0...99, using: &random))"
    case 1: return "null"
    case 2: return #""x""#
    case 3: return #""\n""#
    case 4: return object(depth: depth - 1, from: &random)
    default:
      let elements = (0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth: depth - 1, from: &random) }
      return "[\(elements.joined(separator: ","))]"
    }
  }

  private func parse(_ text: String) throws -> JSONElement { try JSONElement(parsing: Array(text.utf8)) }
}
