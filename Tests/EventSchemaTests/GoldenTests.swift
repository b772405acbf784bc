import EventSchema
import Testing
import WireFormat

/// What is on the topics already has to be read for ever: these files are added to, never changed.
@Suite struct GoldenTests {
  @Test(arguments: EventType.allCases)
  func encodingGivesTheGoldenFileByteForByte(type: EventType) throws {
    let event = try Samples.sample(of: type)

    #expect(
      String(decoding: event.encoded(), as: UTF8.self) == String(decoding: try Samples.golden(type), as: UTF8.self))
    #expect(event.encoded() == (try Samples.golden(type)))
  }

  @Test func everythingThatWasEverWrittenStillDecodes() throws {
    let names = try Samples.goldenNames()
    #expect(names.count >= EventType.allCases.count)
    for name in names {
      let value = try Samples.golden(named: name)
      let key = try #require(try JSONValue(parsing: value).object?["order_id"]?.string)
      guard case .event(let event) = EventCodec.decode(key: Array(key.utf8), value: value) else {
        Issue.record("\(name) does not decode any more")
        continue
      }
      #expect(name.hasPrefix("\(event.type.rawValue).v"))
    }
  }

  @Test(arguments: EventType.allCases)
  func theNewestGoldenFileDecodesToItsEvent(type: EventType) throws {
    let event = try Samples.sample(of: type)

    #expect(EventCodec.decode(key: event.key, value: try Samples.golden(type)) == .event(event))
  }

  @Test(arguments: EventType.allCases)
  func unknownFieldsAreIgnored(type: EventType) throws {
    let event = try Samples.sample(of: type)
    let golden = String(decoding: try Samples.golden(type), as: UTF8.self)
    let extended =
      #"{"new":{"a":[1,null]},"#
      + golden.dropFirst().replacing(#"{"product_id""#, with: #"{"colour":"red","product_id""#).dropLast()
      + #","more":1e999}"#

    #expect(EventCodec.decode(key: event.key, value: Array(extended.utf8)) == .event(event))
  }

  @Test func memberOrderAndSpacesDoNotMatter() throws {
    let event = try Samples.sample(of: .orderCreated)
    let object = try #require(try JSONValue(parsing: event.encoded()).object)
    let shuffled = JSONObject(members: object.members.reversed())
    let spaced = String(decoding: shuffled.jsonBytes, as: UTF8.self).replacing(",", with: " ,\r\n\t")

    #expect(EventCodec.decode(key: event.key, value: Array(spaced.utf8)) == .event(event))
  }
}
