import EventSchema
import TestSupport
import Testing
import WireFormat

@Suite struct DecodingFuzzTests {
  private static let seeds: [UInt64] = [1, .random(in: 2...UInt64.max)]

  /// Some of what breaks readers, to be put anywhere.
  private static let nasty = [
    "null", "-", "1e99", "1e-400", "1e99999999999999999999", "-0", "\"", "\\u0000", "\\uD800", "[[[[", "{}",
    "9223372036854775808",
    "\u{feff}", "😀", ",", "true",
  ].map { Array($0.utf8) }

  @Test(arguments: seeds)
  func mutatedGoldensNeverTrapAndWhatIsReadIsWithinTheBounds(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let goldens = try EventType.allCases.map { (key: try Samples.sample(of: $0).key, value: try Samples.golden($0)) }

    var readable = 0
    for _ in 0..<10_000 {
      guard var (key, value) = goldens.randomElement(using: &random) else { return }
      for _ in 0..<Int.random(in: 1...4, using: &random) { Self.mutate(&value, using: &random) }
      if Int.random(in: 0..<20, using: &random) == 0 { Self.mutate(&key, using: &random) }
      guard case .event(let event) = EventCodec.decode(key: key, value: value) else { continue }
      readable += 1
      #expect(event.key == key, "seed \(seed)")
      #expect(EventCodec.decode(key: key, value: event.encoded()) == .event(event), "seed \(seed)")
    }

    #expect(readable > 100, "the mutations leave too little to read, seed \(seed)")
  }

  private static func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
    let position = Int.random(in: 0...bytes.count, using: &random)
    let end = Int.random(in: position...min(position + 12, bytes.count), using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: bytes.removeSubrange(position..<end)
    case 1: bytes.insert(contentsOf: nasty.randomElement(using: &random) ?? [], at: position)
    case 2: bytes.replaceSubrange(position..<end, with: nasty.randomElement(using: &random) ?? [])
    case 3: bytes.replaceSubrange(position..<end, with: [UInt8.random(in: 0...255, using: &random)])
    default: bytes.insert(contentsOf: bytes[position..<end], at: Int.random(in: 0...bytes.count, using: &random))
    }
  }
}
