/// The partition that Kafka's Java client gives a key: murmur2 of its bytes. librdkafka calls it `murmur2_random`.
///
/// Everybody who writes to a topic has to agree on this: the events of a key are in order because they share a partition.
public enum MurmurPartitioner {
  /// - Parameter partitions: how many the topic has; at least 1.
  public static func partition(key: [UInt8], partitions: Int) -> Int32 {
    partition(hash: hash(key), partitions: partitions)
  }

  /// - Parameter hash: of the key (``hash(_:)``).
  static func partition(hash: UInt32, partitions: Int) -> Int32 {
    Int32(truncatingIfNeeded: Int(hash & 0x7FFF_FFFF) % max(1, partitions))
  }

  /// murmur2, 32 bits, with the seed of `org.apache.kafka.common.utils.Utils`.
  public static func hash(_ data: [UInt8]) -> UInt32 {
    let multiplier: UInt32 = 0x5BD1_E995
    return data.withUnsafeBytes { bytes in
      var hash: UInt32 = 0x9747_B28C ^ UInt32(truncatingIfNeeded: bytes.count)
      let whole = bytes.count & ~3
      for index in stride(from: 0, to: whole, by: 4) {
        var word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self))
        word = word &* multiplier
        word ^= word >> 24
        word = word &* multiplier
        hash = hash &* multiplier
        hash ^= word
      }
      if whole < bytes.count {
        for index in (whole..<bytes.count).reversed() {
          hash ^= UInt32(bytes[index]) << (UInt32(index - whole) * 8)
        }
        hash = hash &* multiplier
      }
      hash ^= hash >> 13
      hash = hash &* multiplier
      hash ^= hash >> 15
      return hash
    }
  }
}
