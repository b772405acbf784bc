import TestSupport
import Testing
import WireFormat

@Suite struct UUIDv7Tests {
  private let moment = Timestamp(millisecondsSinceEpoch: 0x017F_22E2_79B0)

  /// The example of RFC 9562, appendix A.6, in what is not random.
  @Test func theTextHasTimeVersionAndVariantInTheirPlaces() {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<1000 {
      let text = Array(UUIDv7.generate(at: moment, using: &random))
      #expect(text.count == 36)
      #expect(String(text[0..<15]) == "017f22e2-79b0-7")
      #expect([8, 13, 18, 23].allSatisfy { text[$0] == "-" })
      #expect("89ab".contains(text[19]))
      #expect(text.allSatisfy { "0123456789abcdef-".contains($0) })
    }
  }

  @Test func theSameRandomNumbersMakeTheSameIdentifier() {
    var (one, other) = (SeededGenerator(seed: 1), SeededGenerator(seed: 1))

    #expect(UUIDv7.generate(at: moment, using: &one) == UUIDv7.generate(at: moment, using: &other))
  }

  /// Randomness comes in blocks: none is given out twice, within a generator or to two of them.
  @Test func whatIsRandomNeverRepeats() {
    let generators = [UUIDv7Generator(), UUIDv7Generator()]

    let tails = (0..<10_000).map { generators[$0 % 2].next(at: moment).suffix(17) }
    let traces = (0..<10_000).map { generators[$0 % 2].next(in: nil) }

    #expect(Set(tails).count == tails.count)
    #expect(Set(traces.map(\.traceID)).count == traces.count && Set(traces.map(\.parentID)).count == traces.count)
  }

  @Test func noMomentTraps() {
    var random = SeededGenerator(seed: 1)

    #expect(UUIDv7.generate(at: Timestamp(millisecondsSinceEpoch: .min), using: &random).hasPrefix("00000000-0000-7"))
    #expect(UUIDv7.generate(at: Timestamp(millisecondsSinceEpoch: .max), using: &random).hasPrefix("ffffffff-ffff-7"))
    let generator = UUIDv7Generator()
    for _ in 0..<5000 { _ = generator.next(at: Timestamp(millisecondsSinceEpoch: .max)) }
  }

  @Test func identifiersOfOneMillisecondAscendStrictly() {
    let generator = UUIDv7Generator()

    let identifiers = (0..<20_000).map { _ in generator.next(at: moment) }

    #expect(isStrictlyAscending(identifiers))
    #expect(identifiers[0].hasPrefix("017f22e2-79b0-7"))
  }

  @Test func identifiersAscendThoughTheClockGoesBack() {
    let generator = UUIDv7Generator()

    let identifiers = [5, 5, 3, 0, -9, 5, 6, 4].map { generator.next(at: moment + .seconds($0)) }

    #expect(isStrictlyAscending(identifiers))
  }

  @Test func threadsNeverGetTheSameIdentifierAndEachSeesThemAscend() async {
    let generator = UUIDv7Generator()
    let lists = await withTaskGroup(of: [String].self) { group in
      for _ in 0..<8 {
        group.addTask { (0..<5000).map { _ in generator.next(at: .now()) } }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }

    #expect(lists.allSatisfy(isStrictlyAscending))
    #expect(Set(lists.joined()).count == 40_000)
  }

  private func isStrictlyAscending(_ identifiers: [String]) -> Bool {
    zip(identifiers, identifiers.dropFirst()).allSatisfy { $0 < $1 }
  }
}
