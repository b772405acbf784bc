import TestSupport
import Testing
import WireFormat

@Suite struct TimestampTests {
  /// The examples of RFC 3339, section 5.8, and the ends of things.
  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1985-04-12T23:20:50.52Z", 482_196_050_520),
      ("1996-12-19T16:39:57-08:00", 851_042_397_000), ("1937-01-01T12:00:27.87+00:20", -1_041_337_172_130),
      ("2026-11-22T20:21:07.123Z", 1_795_378_867_123), ("2026-11-22t20:21:07.123z", 1_795_378_867_123),
      ("2026-11-22T21:21:07.123+01:00", 1_795_378_867_123), ("2026-11-22T20:21:07.123-00:00", 1_795_378_867_123),
      ("2026-11-23T20:20:07.123+23:59", 1_795_378_867_123), ("2026-11-21T20:22:07.123-23:59", 1_795_378_867_123),
      ("2026-11-22T20:21:07.1239999999999999999999999999999Z", 1_795_378_867_123),
      ("2026-11-22T20:21:07.1Z", 1_795_378_867_100), ("2000-02-29T00:00:00Z", 951_782_400_000),
      ("1969-12-31T23:59:59.999Z", -1), ("0001-01-01T00:00:00Z", -62_135_596_800_000),
      ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ] as [(String, Int64)])
  func everyFormOfRFC3339IsRead(text: String, milliseconds: Int64) {
    #expect(Timestamp(rfc3339: text)?.millisecondsSinceEpoch == milliseconds)
  }

  @Test func aLeapSecondCountsAsTheMillisecondBeforeItsEnd() {
    let last = Timestamp(rfc3339: "1990-12-31T23:59:59.999Z")

    #expect(Timestamp(rfc3339: "1990-12-31T23:59:60Z") == last)
    #expect(Timestamp(rfc3339: "1990-12-31T15:59:60.5-08:00") == last)
    #expect(Timestamp(rfc3339: "1990-12-31T23:59:60+01:00") == nil)
    #expect(Timestamp(rfc3339: "1990-12-31T12:00:60Z") == nil)
    #expect(Timestamp(rfc3339: "1990-12-31T23:59:61Z") == nil)
  }

  @Test(arguments: [
    "", "Z", "2026", "2026-11-22", "2026-11-22T20:21:07", "2026-11-22T20:21Z", "2026-11-22 20:21:07Z",
    "2026-11-22T20:21:07.Z",
    "2026-11-22T20:21:07,5Z", "2026-11-22T20:21:07Z ", " 2026-11-22T20:21:07Z", "2026-11-22T20:21:07+0100",
    "2026-11-22T20:21:07+01", "2026-11-22T20:21:07+24:00", "2026-11-22T20:21:07+01:60", "2026-00-22T20:21:07Z",
    "2026-13-22T20:21:07Z", "2026-11-00T20:21:07Z", "2026-11-31T20:21:07Z", "2026-02-29T20:21:07Z",
    "1900-02-29T20:21:07Z",
    "2026-11-22T24:00:00Z", "2026-11-22T20:60:07Z", "2026-1-22T20:21:07Z", "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "-2026-11-22T20:21:07Z", "+2026-11-22T20:21:07Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    "２０２６-11-22T20:21:07Z", "2026-11-22T20:21:07é", "2026-11-22T20:21:07.٣Z", "20261122T202107Z", "1795378867123",
  ])
  func whatIsNoDateAndTimeOfTheRangeIsNil(text: String) {
    #expect(Timestamp(rfc3339: text) == nil)
  }

  @Test func textAlwaysHasMillisecondsAndIsInUTC() {
    #expect(Timestamp(millisecondsSinceEpoch: 0).rfc3339 == "1970-01-01T00:00:00.000Z")
    #expect(Timestamp(millisecondsSinceEpoch: -1).rfc3339 == "1969-12-31T23:59:59.999Z")
    #expect(Timestamp(millisecondsSinceEpoch: 1_795_378_867_123).rfc3339 == "2026-11-22T20:21:07.123Z")
    #expect("\(Timestamp(millisecondsSinceEpoch: 951_782_400_007))" == "2000-02-29T00:00:00.007Z")
  }

  @Test func aMomentThatHasNoTextIsWrittenAsTheNearest() {
    #expect(Timestamp(millisecondsSinceEpoch: .min).rfc3339 == "0001-01-01T00:00:00.000Z")
    #expect(Timestamp(millisecondsSinceEpoch: .max).rfc3339 == "9999-12-31T23:59:59.999Z")
  }

  @Test(arguments: [1, 2, .random(in: 3...UInt64.max)] as [UInt64])
  func momentsSurviveWritingAndReadingInTheirOrder(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var moments = (0..<5000).map { _ in
      Timestamp(millisecondsSinceEpoch: .random(in: -62_135_596_800_000...253_402_300_799_999, using: &random))
    }
    moments.sort()

    let texts = moments.map(\.rfc3339)

    #expect(texts.map { Timestamp(rfc3339: $0) } == moments, "seed \(seed)")
    #expect(texts == texts.sorted(), "seed \(seed)")
  }

  @Test func everyDayOfFourCenturiesFollowsTheOneBefore() throws {
    var milliseconds = try #require(Timestamp(rfc3339: "1999-12-31T00:00:00Z")).millisecondsSinceEpoch
    for year in 2000..<2400 {
      for month in 1...12 {
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = month == 2 ? (isLeapYear ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        for day in 1...days {
          milliseconds += 86_400_000
          let date = Timestamp(millisecondsSinceEpoch: milliseconds).rfc3339.prefix(10)
          guard date == "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)" else {
            Issue.record("\(date) instead of \(year)-\(month)-\(day)")
            return
          }
        }
      }
    }
  }

  @Test func durationsAreAddedToTheMillisecondAndNeverOverflow() {
    let start = Timestamp(millisecondsSinceEpoch: 1000)

    #expect((start + .milliseconds(250)).millisecondsSinceEpoch == 1250)
    #expect((start - .seconds(2)).millisecondsSinceEpoch == -1000)
    #expect((start + .microseconds(1999)).millisecondsSinceEpoch == 1001)
    #expect(start - Timestamp(millisecondsSinceEpoch: 2500) == .milliseconds(-1500))
    #expect((start + .seconds(Int64.max)).millisecondsSinceEpoch == .max)
    #expect((start - .seconds(Int64.max)).millisecondsSinceEpoch == .min + 1001)
    #expect((Timestamp(millisecondsSinceEpoch: .min) - .seconds(1)).millisecondsSinceEpoch == .min)
    #expect(Timestamp(millisecondsSinceEpoch: .max) - Timestamp(millisecondsSinceEpoch: .min) > .seconds(1))
  }

  @Test func nowIsInThisCentury() {
    #expect(Timestamp.now().rfc3339.hasPrefix("20"))
  }

  @Test(arguments: [
    ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00"), ("1969-12-31T23:59:59.999Z", "Thu, 01 Jan 1970 00:00:00"),
    ("2024-02-29T23:59:59.999Z", "Thu, 29 Feb 2024 23:59:59"),
    ("2026-11-22T20:21:07.123Z", "Sun, 22 Nov 2026 20:21:07"),
  ])
  func aDateIsWrittenAsMailsAndHTTPDo(_ time: String, _ date: String) throws {
    let moment = try #require(Timestamp(rfc3339: time))

    #expect(moment.mailDate == date + " +0000")
    #expect(moment.httpDate == date + " GMT")
  }
}
