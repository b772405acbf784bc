import Messaging

/// The assignment of a group member as the members' leader wrote it: Kafka's consumer protocol.
enum MemberAssignment {
  /// `version: int16`, then an array of topics, each a string and an array of partitions (int32). Whatever follows is
  /// the assignor's own.
  ///
  /// - Returns: as many partitions as can be read: the bytes are another client's, and may be anything.
  static func partitions(in bytes: [UInt8]) -> [TopicPartition] {
    var rest = bytes[...]
    guard rest.readInteger(Int16.self) != nil, let topics = rest.readInteger(Int32.self), topics > 0 else { return [] }
    var partitions: [TopicPartition] = []
    for _ in 0..<topics {
      guard let topic = rest.readString(), let count = rest.readInteger(Int32.self), count >= 0 else { break }
      for _ in 0..<count {
        guard let partition = rest.readInteger(Int32.self) else { return partitions }
        partitions.append(TopicPartition(topic, partition))
      }
    }
    return partitions
  }
}

extension ArraySlice<UInt8> {
  fileprivate mutating func readInteger<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
    let size = Integer.bitWidth / 8
    guard count >= size else { return nil }
    defer { removeFirst(size) }
    return prefix(size).reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) }
  }

  fileprivate mutating func readString() -> String? {
    guard let size = readInteger(Int16.self), size >= 0, count >= Int(size) else { return nil }
    defer { removeFirst(Int(size)) }
    return String(decoding: prefix(Int(size)), as: UTF8.self)
  }
}
