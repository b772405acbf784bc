/// A JSON text that has been read, and where each of its values stands in it: the tape of simdjson
/// (https://arxiv.org/abs/1902.08318, section 3.1), in the order of the text. Of a member its name comes first.
final class JSONTape: Sendable {
  let bytes: [UInt8]
  let entries: [JSONTapeEntry]
  /// What cannot be read where it stands: texts with escapes.
  let unescaped: [String]

  init(bytes: [UInt8], entries: [JSONTapeEntry], unescaped: [String]) {
    self.bytes = bytes
    self.entries = entries
    self.unescaped = unescaped
  }
}

/// One value, or the name of a member.
enum JSONTapeEntry {
  case null
  case bool(Bool)
  /// The literal.
  case number(Range<Int>)
  /// A text that stands between its quotes as it is, valid UTF-8.
  case text(Range<Int>)
  /// A text with escapes, by its place among the tape's.
  case unescapedText(Int)
  /// So many elements follow, and ``close(_:)`` at the entry before `end`.
  case array(count: Int, end: Int)
  /// So many names with their values follow, and ``close(_:)`` at the entry before `end`.
  case object(count: Int, end: Int)
  /// The end of the array or object that begins at this entry.
  case close(Int)
}

extension JSONTape {
  /// The entry behind the value at `index` and all that is in it.
  func next(after index: Int) -> Int {
    switch entries[index] {
    case .array(_, let end), .object(_, let end): end
    case .null, .bool, .number, .text, .unescapedText, .close: index + 1
    }
  }

  func string(at index: Int) -> String? {
    switch entries[index] {
    case .text(let range): withBytes(range) { String(decoding: $0, as: UTF8.self) }
    case .unescapedText(let place): unescaped[place]
    case .null, .bool, .number, .array, .object, .close: nil
    }
  }

  /// Where the value of the member `name` of the object at `index` stands; of a repeated name the last one. Looks from
  /// the end, so that it can stop at the first it finds. ``JSONParser`` gives each value in an object its name before it,
  /// so no step leads out of the entries.
  func member(_ name: UnsafeBufferPointer<UInt8>, of index: Int) -> Int? {
    entries.withUnsafeBufferPointer { entries in
      guard case .object(_, let end) = entries[index] else { return nil }
      var last = end - 2
      while last > index {
        let value = if case .close(let opening) = entries[last] { opening } else { last }
        switch entries[value - 1] {
        case .text(let range) where range.count == name.count && withBytes(range) { $0.isEqual(to: name) }:
          return value
        case .unescapedText(let place) where unescaped[place].utf8.elementsEqual(name):
          return value
        default: last = value - 2
        }
      }
      return nil
    }
  }

  func withBytes<Result>(_ range: Range<Int>, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
  }
}
