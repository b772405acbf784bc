import TestSupport
import Testing
import WireFormat

@Suite struct TraceContextTests {
  private static let ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"

  @Test func aTraceparentIsReadAndWritten() throws {
    let trace = try #require(TraceContext(traceparent: "00-\(Self.ids)-01"))

    #expect(trace.traceID == 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c)
    #expect(trace.parentID == 0xb7ad_6b71_6920_3331)
    #expect(trace.flags == 1)
    #expect(trace.traceparent == "00-\(Self.ids)-01")
  }

  @Test(arguments: [
    "", "00", "00-", "not-a-trace", "00-\(ids)", "00-\(ids)-", "00-\(ids)-0", "00-\(ids)-001", "00-\(ids)-01-",
    "00-\(ids)-01-more", " 00-\(ids)-01", "00-\(ids)-01 ", "00-\(ids)-0g", "0-\(ids)-01", "ff-\(ids)-01",
    "00_\(ids)-01", "00-\(ids)_01", "00-\(ids)-01, 00-\(ids)-01", "01-\(ids)-01, 00-\(ids)-01", "cc-\(ids)-01more",
    "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00-\(ids)-0A", "CC-\(ids)-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01", "00-\u{0661}\u{0661}\(ids.dropFirst(4))-01",
  ])
  func whatIsNotATraceparentIsNone(_ text: String) {
    #expect(TraceContext(traceparent: text) == nil)
  }

  @Test(arguments: ["01-\(ids)-01", "cc-\(ids)-01-what-the-future-is-like", "fe-\(ids)-01-"])
  func aVersionToComeIsReadAsFarAsItIsKnownAndPassedOnInOurs(_ text: String) {
    #expect(TraceContext(traceparent: text)?.traceparent == "00-\(Self.ids)-01")
  }

  @Test func flagsThatNobodyKnowsAreNotPassedOn() {
    #expect(TraceContext(traceparent: "00-\(Self.ids)-ff")?.traceparent == "00-\(Self.ids)-03")
    #expect(TraceContext(traceparent: "00-\(Self.ids)-00")?.traceparent == "00-\(Self.ids)-00")
  }

  @Test func aChildIsAnotherPlaceInTheSameTrace() throws {
    let trace = try #require(TraceContext(traceparent: "00-\(Self.ids)-01"))
    var random = SeededGenerator(seed: 1)

    let child = trace.child(using: &random)

    #expect(child.traceID == trace.traceID && child.flags == trace.flags)
    #expect(child.parentID != trace.parentID)
    #expect(TraceContext(traceparent: child.traceparent) == child)
  }

  @Test func theSameRandomNumbersMakeTheSameTraces() {
    let (one, other) = (
      UUIDv7Generator(random: SeededGenerator(seed: 1)), UUIDv7Generator(random: SeededGenerator(seed: 1))
    )

    let traces = (0..<100).map { _ in one.next(in: nil) }

    #expect(traces == (0..<100).map { _ in other.next(in: nil) })
    #expect(Set(traces.map(\.traceID)).count == 100 && Set(traces.map(\.parentID)).count == 100)
    #expect(traces.allSatisfy { TraceContext(traceparent: $0.traceparent) == $0 })
    #expect(one.next(in: traces[0]) == other.next(in: traces[0]))
  }
}
