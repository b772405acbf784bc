/// A JSON text that has been read, and where each of its values stands in it, in the order of the text; of a member its
/// name comes first. The tape of simdjson: https://simdjson.github.io/simdjson/md_doc_tape.html
///
/// A class, so that an element is one reference and a place, however often it is handed on.
final class JSONTape: Sendable {
  private let bytes: [UInt8]
  let entries: [JSONTapeEntry]
  /// What cannot be read where it stands.
  private let textsWithEscapes: [String]

  init(bytes: [UInt8], entries: [JSONTapeEntry], textsWithEscapes: [String]) {
    self.bytes = bytes
    self.entries = entries
    self.textsWithEscapes = textsWithEscapes
  }

  /// An object without members.
  static let emptyObject = JSONTape(
    bytes: [], entries: [.object(count: 0, end: 2), .close(opening: 0)], textsWithEscapes: [])
}

/// One value, or the name of a member.
enum JSONTapeEntry {
  case null
  case bool(Bool)
  /// The literal.
  case number(Range<Int>)
  /// A text that stands between its quotes as it is, valid UTF-8.
  case text(Range<Int>)
  /// By its place among the tape's.
  case textWithEscapes(Int)
  /// So many elements follow, and ``close(opening:)`` at the entry before `end`.
  case array(count: Int, end: Int)
  /// So many names with their values follow, and ``close(opening:)`` at the entry before `end`.
  case object(count: Int, end: Int)
  /// The end of the array or object whose entry is `opening`.
  case close(opening: Int)
}

extension JSONTape {
  /// The entry behind the value at `index` and all that is in it.
  func next(after index: Int) -> Int {
    switch entries[index] {
    case .array(_, let end), .object(_, let end): end
    case .null, .bool, .number, .text, .textWithEscapes, .close: index + 1
    }
  }

  func string(at index: Int) -> String? {
    switch entries[index] {
    case .text(let range): text(range)
    case .textWithEscapes(let place): textsWithEscapes[place]
    case .null, .bool, .number, .array, .object, .close: nil
    }
  }

  func text(_ range: Range<Int>) -> String { withBytes(range) { String(decoding: $0, as: UTF8.self) } }

  /// Where the value of the member `name` of the object at `index` stands; of a repeated name the last one. Looks from
  /// the end, so that it can stop at the first it finds. ``JSONParser`` gives each value in an object its name before
  /// it, so no step leads out of the entries.
  func member(_ name: UnsafeBufferPointer<UInt8>, of index: Int) -> Int? {
    entries.withUnsafeBufferPointer { entries in
      guard case .object(_, let end) = entries[index] else { return nil }
      var last = end - 2
      while last > index {
        let value = if case .close(let opening) = entries[last] { opening } else { last }
        switch entries[value - 1] {
        case .text(let range) where withBytes(range) { $0.isEqual(to: name) }:
          return value
        case .textWithEscapes(let place) where textsWithEscapes[place].utf8.elementsEqual(name):
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
