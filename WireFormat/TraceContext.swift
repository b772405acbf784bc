/// A place in a distributed trace, as a `traceparent` says it: [W3C Trace Context](https://www.w3.org/TR/trace-context-2/).
///
/// Whatever comes about in a trace passes on a ``child(using:)`` of what it was given, so that a reader sees what
/// followed from what.
public struct TraceContext: Sendable, Hashable {
  /// The name of the header, of a request and of a record.
  public static let headerName = "traceparent"

  /// Shared by everything that followed from the same request; never 0.
  public let traceID: UInt128
  /// Names the step that passes this on; never 0.
  public let parentID: UInt64
  /// The bits that the specification knows: 1 sampled, 2 random trace id. Others are dropped, as it wants.
  public let flags: UInt8

  private init(traceID: UInt128, parentID: UInt64, flags: UInt8) {
    self.traceID = traceID
    self.parentID = parentID
    self.flags = flags & (Self.sampledFlag | Self.randomFlag)
  }

  private static let sampledFlag: UInt8 = 1
  private static let randomFlag: UInt8 = 2

  /// A trace that begins here. It is not sampled: nobody has recorded anything of it.
  public static func new(using random: inout some RandomNumberGenerator) -> TraceContext {
    let traceID = UInt128(random.next() as UInt64) << 64 | UInt128(newID(using: &random))
    return TraceContext(traceID: traceID, parentID: newID(using: &random), flags: randomFlag)
  }

  /// The next step of the same trace.
  public func child(using random: inout some RandomNumberGenerator) -> TraceContext {
    TraceContext(traceID: traceID, parentID: Self.newID(using: &random), flags: flags)
  }

  /// 0 names nothing.
  private static func newID(using random: inout some RandomNumberGenerator) -> UInt64 {
    max(random.next(), 1)
  }
}

// MARK: - traceparent

extension TraceContext {
  /// Of a `traceparent`; nil where that is not a valid one. Of a version that is not known yet, the four fields that
  /// every version begins with are read.
  public init?(traceparent bytes: [UInt8]) {
    var fields = Fields(bytes: bytes)
    guard let version = fields.next(UInt8.self), version != 0xFF, let traceID = fields.next(UInt128.self),
      let parentID = fields.next(UInt64.self), let flags = fields.next(UInt8.self), traceID != 0, parentID != 0,
      fields.isAtEnd || (version > 0 && fields.isAtDash)
    else { return nil }
    self.init(traceID: traceID, parentID: parentID, flags: flags)
  }

  public init?(traceparent text: String) {
    self.init(traceparent: Array(text.utf8))
  }

  /// In version 00: `00-<32 hexadecimal digits>-<16>-<2>`, lower case.
  public var traceparent: String {
    String(unsafeUninitializedCapacity: 55) { text in
      var position = 0
      text.writeField(UInt8(0), at: &position)
      text.writeField(traceID, at: &position)
      text.writeField(parentID, at: &position)
      text.writeField(flags, at: &position)
      return position
    }
  }
}

/// Reads fields of hexadecimal digits in lower case with one dash between them.
private struct Fields {
  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }
  var isAtDash: Bool { position < bytes.count && bytes[position] == UInt8(ascii: "-") }

  mutating func next<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
    if position > 0 {
      guard isAtDash else { return nil }
      position += 1
    }
    let end = position + Number.bitWidth / 4
    guard end <= bytes.count else { return nil }
    var number: Number = 0
    while position < end {
      let digit: UInt8
      switch bytes[position] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[position] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[position] - UInt8(ascii: "a") + 10
      default: return nil
      }
      number = number << 4 | Number(truncatingIfNeeded: digit)
      position += 1
    }
    return number
  }
}
