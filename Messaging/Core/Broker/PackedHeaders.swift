/// Record headers as one run of bytes: so they lie in an outbox, and so they go from the event that they describe to
/// the producer, and from the broker to the handler, without an array for each of the seven headers of an event, made
/// and freed on that way.
///
/// Their number, then per header the name and the value, each after its length. Numbers are LEB128; a value's length is
/// one more than its bytes, and 0 for null.
public struct PackedHeaders: Sendable, Hashable {
  public private(set) var bytes: [UInt8]

  /// Stored headers that this code cannot have written.
  public struct Malformed: Error, Sendable, CustomStringConvertible {
    let offset: Int
    public var description: String { "stored headers are malformed at byte \(offset)" }
  }

  public init(_ headers: [Header]) {
    let size = headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
    self.init(count: headers.count, size: size)
    for header in headers {
      append(header.name)
      append(header.value.map { $0.count + 1 } ?? 0)
      if let value = header.value { bytes.append(contentsOf: value) }
    }
  }

  /// Headers whose values are texts, in UTF-8.
  public init(texts: [(name: String, value: String)]) {
    self.init(count: texts.count, size: texts.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count })
    for (name, value) in texts {
      append(name)
      append(value, asValue: true)
    }
  }

  /// Headers as they were stored.
  ///
  /// - Throws: ``Malformed``
  public init(stored bytes: [UInt8]) throws {
    self.bytes = bytes
    try walk { _, _ in }
  }

  public var isEmpty: Bool { bytes == [0] }

  /// The headers one by one.
  public var headers: [Header] {
    var headers: [Header] = []
    forEach { name, value in
      headers.append(Header(name: String(decoding: name, as: UTF8.self), value: value.map { Array($0) }))
    }
    return headers
  }

  /// Calls `body` with each header in order: the name in UTF-8, and the value. They are good until `body` returns.
  public func forEach(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) -> Void) {
    // What is malformed has not become a value of this type.
    try? walk(body)
  }

  /// The value of the last header of this name, which may be null; nil where there is none.
  public func last(_ name: String) -> [UInt8]?? {
    var name = name
    return name.withUTF8 { name in
      var found: [UInt8]?? = .none
      forEach { candidate, value in
        if candidate.elementsEqual(name) { found = .some(value.map { Array($0) }) }
      }
      return found
    }
  }

  /// `count` headers, which are to be appended; each is handed on as it lies in memory.
  ///
  /// - Parameter size: of all names and values together, in bytes; a guess is enough.
  package init(count: Int, size: Int) {
    bytes = []
    bytes.reserveCapacity(1 + size + count * 4)
    append(count)
  }

  package mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?) {
    append(name.count)
    bytes.append(contentsOf: name)
    append(value.map { $0.count + 1 } ?? 0)
    if let value { bytes.append(contentsOf: value) }
  }

  private mutating func append(_ text: String, asValue isValue: Bool = false) {
    var text = text
    text.withUTF8 { text in
      append(text.count + (isValue ? 1 : 0))
      bytes.append(contentsOf: text)
    }
  }

  private mutating func append(_ number: Int) {
    var rest = UInt(number)
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private func walk(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer?) -> Void) throws {
    try bytes.withUnsafeBytes { bytes in
      var reader = Reader(bytes: bytes)
      for _ in 0..<(try reader.number()) {
        let name = try reader.take(try reader.number())
        let length = try reader.number()
        body(name, length == 0 ? nil : try reader.take(length - 1))
      }
    }
  }

  private struct Reader {
    let bytes: UnsafeRawBufferPointer
    var offset = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// At most five bytes: no length in a store comes near 32 GiB.
    mutating func number() throws -> Int {
      var number = 0
      for shift in stride(from: 0, to: 35, by: 7) {
        guard offset < bytes.count else { break }
        let byte = bytes[offset]
        offset += 1
        number |= Int(byte & 0x7F) << shift
        if byte < 0x80 { return number }
      }
      throw Malformed(offset: offset)
    }

    mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
      guard count <= bytes.count - offset, let start = bytes.baseAddress else { throw Malformed(offset: offset) }
      defer { offset += count }
      return UnsafeRawBufferPointer(start: start + offset, count: count)
    }
  }
}
