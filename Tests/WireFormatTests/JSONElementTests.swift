import TestSupport
import Testing
import WireFormat

@Suite struct JSONElementTests {
  @Test func everyKindOfValueIsReadWhereItStands() throws {
    let object = try object(
      #" { "a" : [ 1 , -2.50 , true , false , null , "x" ] , "b" : { } , "c" : [ ] , "d" : "\u0041" , "e" : 7 } "#)

    let elements = Array(try #require(object["a"]?.array))
    #expect(elements.map(\.int64) == [1, nil, nil, nil, nil, nil])
    #expect(elements.map { $0.scaled(decimals: 2) } == [100, -250, nil, nil, nil, nil])
    #expect(elements.map(\.bool) == [nil, nil, true, false, nil, nil])
    #expect(elements.map(\.isNull) == [false, false, false, false, true, false])
    #expect(elements.map(\.string) == [nil, nil, nil, nil, nil, "x"])
    #expect(elements.map(\.isString) == [false, false, false, false, false, true])
    #expect(elements.allSatisfy { $0.object == nil && $0.array == nil })
    #expect(try #require(object["b"]?.object)["a"] == nil)
    #expect(object["c"]?.array?.count == 0)
    #expect(object["c"]?.object == nil)
    #expect(object["d"]?.string == "A")
    #expect(object["e"]?.int64 == 7)
    #expect(object["f"] == nil)
    #expect(object.map(\.name) == ["a", "b", "c", "d", "e"])
    #expect(JSONElement.Object()["a"] == nil)
    #expect(Array(JSONElement.Object()).isEmpty)
  }

  @Test func elementsAreCountedAndLeftOneByOne() throws {
    var elements = try #require(try parse(#"[[1,[2]],{"a":{"b":3}},"x"]"#).array)

    #expect(elements.count == 3)
    #expect(elements.next()?.array?.count == 2)
    #expect(elements.next()?.object?["a"]?.object?["b"]?.int64 == 3)
    #expect(elements.count == 1)
    #expect(elements.next()?.string == "x")
    #expect(elements.next() == nil)
  }

  @Test(arguments: [
    #"{"name":0,"name":1}"#, #"{"name":[0],"nam\u0065":1}"#, #"{"n\u0061me":{"name":0},"name":1,"names":2}"#,
    #"{"name":1,"name\u0000":2,"Name":3,"a":{"name":4}}"#, #"{"":0,"\n":2,"name":1,"z":[{"name":5}]}"#,
  ])
  func aMemberIsFoundByItsNameAndTheLastOneCounts(json: String) throws {
    #expect(try object(json)["name"]?.int64 == 1)
  }

  @Test func namesOfAnyLengthAreComparedByteForByte() throws {
    let object = try object(
      #"{"1234567":7,"12345678":8,"123456789":9,"1234567890123456":16,"12345678901234567":17,"é":2,"e\u0301":3}"#)

    #expect(object["1234567"]?.int64 == 7)
    #expect(object["12345678"]?.int64 == 8)
    #expect(object["123456789"]?.int64 == 9)
    #expect(object["1234567890123456"]?.int64 == 16)
    #expect(object["12345678901234567"]?.int64 == 17)
    #expect(object["12345678901234568"] == nil)
    #expect(object["02345678901234567"] == nil)
    #expect(object["12345678X01234567"] == nil)
    #expect(object["\u{e9}"]?.int64 == 2)
    #expect(object["e\u{301}"]?.int64 == 3)
  }

  @Test(arguments: [
    #""2026-11-22T20:21:07.123Z""#, #""2026-11-22T20:21:07.123\u005a""#, #""2026-11-22""#, #""""#, "1790000000", "null",
  ])
  func aMomentIsThatOfItsText(json: String) throws {
    let element = try parse(json)
    #expect(element.timestamp == element.string.flatMap { Timestamp(rfc3339: $0) })
  }

  @Test(arguments: [1, 2, 3, .random(in: 4...UInt64.max)] as [UInt64])
  func whatIsFoundInPlaceIsWhatWasWritten(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<2000 {
      let written = Written.value(depth: 4, from: &random)
      compare(try parse(written.text), written.value, seed)
    }
  }

  private func compare(_ element: JSONElement, _ value: JSONValue, _ seed: UInt64) {
    #expect(JSONValue(element) == value, "seed \(seed)")
    #expect(element.array?.count == value.array?.count && element.string == value.string, "seed \(seed)")
    #expect(element.bool == value.bool && element.int64 == value.number?.int64, "seed \(seed)")
    for (element, value) in zip(element.array.map(Array.init) ?? [], value.array ?? []) {
      compare(element, value, seed)
    }
    for (name, text) in [("a", "a"), ("bb", "bb"), ("\u{e9}", "\u{e9}"), ("c", "c")] as [(StaticString, String)] {
      let (found, expected) = (element.object?[name], value.object?[text])
      #expect((found == nil) == (expected == nil), "seed \(seed)")
      if let found, let expected { compare(found, expected, seed) }
    }
  }

  private func parse(_ text: String) throws -> JSONElement { try JSONElement(parsing: Array(text.utf8)) }

  private func object(_ text: String) throws -> JSONElement.Object { try #require(try parse(text).object) }
}

/// A text, and the value that it was written of.
private struct Written {
  var text: String
  var value: JSONValue

  static func value(depth: Int, from random: inout SeededGenerator) -> Written {
    let space = ["", "", " ", "\n\t"].randomElement(using: &random) ?? ""
    var written = bare(depth: depth, from: &random)
    written.text = space + written.text + space
    return written
  }

  private static func bare(depth: Int, from random: inout SeededGenerator) -> Written {
    switch Int.random(in: 0...(depth > 0 ? 9 : 5), using: &random) {
    case 0, 1:
      let literal = ["0", "-7", "99", "2.50", "1e2"].randomElement(using: &random) ?? "0"
      return JSONNumber(literal).map { Written(text: literal, value: .number($0)) } ?? null
    case 2: return Bool.random(using: &random) ? Written(text: "true", value: .bool(true)) : null
    case 3: return Written(text: "false", value: .bool(false))
    case 4: return Written(text: #""x""#, value: .string("x"))
    case 5: return Written(text: #""\n\u00e9""#, value: .string("\n\u{e9}"))
    case 6, 7:
      let elements = (0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth: depth - 1, from: &random) }
      return Written(text: "[\(elements.map(\.text).joined(separator: ","))]", value: .array(elements.map(\.value)))
    default: return object(depth: depth, from: &random)
    }
  }

  private static let null = Written(text: "null", value: .null)

  private static func object(depth: Int, from random: inout SeededGenerator) -> Written {
    let names = [(#""a""#, "a"), (#""bb""#, "bb"), (#""\u0061""#, "a"), (#""é""#, "é"), (#""\u00e9""#, "é")]
    var texts: [String] = []
    var members: [JSONObject.Member] = []
    for _ in 0..<Int.random(in: 0...5, using: &random) {
      let (text, name) = names.randomElement(using: &random) ?? names[0]
      let member = value(depth: depth - 1, from: &random)
      texts.append("\(text):\(member.text)")
      members.append(JSONObject.Member(name: name, value: member.value))
    }
    return Written(text: "{\(texts.joined(separator: ","))}", value: .object(JSONObject(members: members)))
  }
}
