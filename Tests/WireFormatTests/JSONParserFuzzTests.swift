import TestSupport
import Testing
import WireFormat

@Suite struct JSONParserFuzzTests {
  private static let seeds: [UInt64] = [1, 2, 3, .random(in: 4...UInt64.max)]

  @Test(arguments: seeds)
  func noBytesTrapAndWhatIsReadSurvivesWritingAndReading(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let fragments = [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "D83D", "null", "true", "-", "0", "1", ".", "e", "9", "\"a\"",
      " ", "é",
    ].map { Array($0.utf8) }

    var readable = 0
    for _ in 0..<5000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...20, using: &random) {
        bytes +=
          Bool.random(using: &random)
          ? fragments.randomElement(using: &random) ?? [] : [UInt8.random(in: 0...255, using: &random)]
      }
      guard let value = try? JSONValue(parsing: bytes) else { continue }
      readable += 1
      _ = value.number?.int64
      _ = value.number?.scaled(decimals: 2)
      #expect(try JSONValue(parsing: value.jsonBytes) == value, "seed \(seed)")
    }

    #expect(readable > 20, "the fragments leave too little to read, seed \(seed)")
  }
}
