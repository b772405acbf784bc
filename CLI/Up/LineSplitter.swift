/// Cuts a stream of bytes into lines. A line longer than 64 KiB comes in pieces, so that memory stays bounded.
struct LineSplitter: Sendable {
  static let longestLine = 64 << 10

  private var rest: [UInt8] = []

  /// The lines that `bytes` complete, without their line feeds.
  mutating func lines(adding bytes: some Collection<UInt8>) -> [String] {
    rest.append(contentsOf: bytes)
    var lines: [String] = []
    var start = 0
    while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(String(decoding: rest[start..<end], as: UTF8.self))
      start = end + 1
    }
    rest.removeFirst(start)
    if rest.count > Self.longestLine {
      lines.append(String(decoding: rest, as: UTF8.self))
      rest = []
    }
    return lines
  }

  /// What came behind the last line feed, if anything.
  mutating func finish() -> String? {
    defer { rest = [] }
    return rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self)
  }
}
