import Messaging

/// Record headers in one column: their number, then per header the name and the value, each after its length. Numbers
/// are LEB128; a value's length is one more than its bytes, and 0 for null.
enum HeaderCoding {
  /// A stored list of headers that this code cannot have written.
  struct Malformed: Error, CustomStringConvertible {
    let offset: Int
    var description: String { "stored headers are malformed at byte \(offset)" }
  }

  static func encode(_ headers: [Header]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headers.reduce(1) { $0 + 6 + $1.name.utf8.count + ($1.value?.count ?? 0) })
    append(headers.count, to: &bytes)
    for header in headers {
      append(header.name.utf8.count, to: &bytes)
      bytes.append(contentsOf: header.name.utf8)
      append(header.value.map { $0.count + 1 } ?? 0, to: &bytes)
      if let value = header.value { bytes.append(contentsOf: value) }
    }
    return bytes
  }

  static func decode(_ bytes: [UInt8]) throws -> [Header] {
    var reader = Reader(bytes: bytes)
    var headers: [Header] = []
    for _ in 0..<(try reader.number()) {
      let name = try reader.take(try reader.number())
      let length = try reader.number()
      let value = length == 0 ? nil : Array(try reader.take(length - 1))
      headers.append(Header(name: String(decoding: name, as: UTF8.self), value: value))
    }
    return headers
  }

  private static func append(_ number: Int, to bytes: inout [UInt8]) {
    var rest = UInt(number)
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private struct Reader {
    let bytes: [UInt8]
    var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

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

    mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
      guard count <= bytes.count - offset else { throw Malformed(offset: offset) }
      defer { offset += count }
      return bytes[offset..<(offset + count)]
    }
  }
}
