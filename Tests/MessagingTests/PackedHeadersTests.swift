import Messaging
import Testing

@Suite("Packed headers")
struct PackedHeadersTests {
  @Test func headersComeBackExactly() throws {
    let every: [UInt8] = Array(0...255)
    let lists: [[Header]] = [
      [], [Header(name: "", value: nil)], [Header(name: "a", value: []), Header(name: "a", value: every)],
      [Header(name: String(repeating: "n", count: 300), value: Array(repeating: 7, count: 70_000))],
      (0..<200).map { Header("header-\($0)", "ü\($0)") },
    ]

    for headers in lists {
      let packed = PackedHeaders(headers)
      #expect(packed.headers == headers)
      #expect(try PackedHeaders(stored: packed.bytes) == packed)
    }
  }

  @Test func textsAreTheirBytes() {
    let packed = PackedHeaders(texts: [("ce_id", "1"), ("name", "Käse"), ("empty", "")])

    #expect(packed == PackedHeaders([Header("ce_id", "1"), Header("name", "Käse"), Header("empty", "")]))
  }

  @Test func theLastOfANameIsFoundAndNullIsNotNothing() {
    let packed = PackedHeaders([
      Header("a", "1"), Header("b", "x"), Header("a", "2"), Header(name: "null", value: nil), Header("ab", "3"),
    ])

    #expect(packed.last("a") == .some(Array("2".utf8)))
    #expect(packed.last("null") == .some(nil))
    #expect(packed.last("A") == .none && packed.last("") == .none && packed.last("abc") == .none)
  }

  @Test func damagedHeadersAreAnErrorAndNoTrap() throws {
    let bytes = PackedHeaders([Header("name", "value"), Header(name: "empty", value: [])]).bytes

    for length in 0..<bytes.count {
      #expect(throws: PackedHeaders.Malformed.self) { try PackedHeaders(stored: Array(bytes.prefix(length))) }
    }
    var random = SeededRandom(seed: 20_261_122)
    for _ in 0..<10_000 {
      let noise = (0..<Int.random(in: 1...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = try? PackedHeaders(stored: noise).headers
    }
    _ = try? PackedHeaders(stored: [0xFF, 0xFF, 0xFF, 0xFF, 0x7F])
  }
}
