/// The partition that Kafka's Java client gives a key: murmur2 of its bytes. librdkafka calls it `murmur2_random`.
///
/// Everybody who writes to a topic has to agree on this: the events of a key are in order because they share a partition.
public enum MurmurPartitioner {
  /// - Parameter partitions: how many the topic has; at least 1.
  public static func partition(key: [UInt8], partitions: Int) -> Int32 {
    Int32(truncatingIfNeeded: Int(hash(key) & 0x7FFF_FFFF) % max(1, partitions))
  }

  /// murmur2, 32 bits, with the seed of `org.apache.kafka.common.utils.Utils`.
  public static func hash(_ data: [UInt8]) -> UInt32 {
    let multiplier: UInt32 = 0x5BD1_E995
    var hash: UInt32 = 0x9747_B28C ^ UInt32(truncatingIfNeeded: data.count)
    let whole = data.count & ~3
    for index in stride(from: 0, to: whole, by: 4) {
      var word =
        UInt32(data[index]) | UInt32(data[index + 1]) << 8 | UInt32(data[index + 2]) << 16
        | UInt32(data[index + 3]) << 24
      word = word &* multiplier
      word ^= word >> 24
      word = word &* multiplier
      hash = hash &* multiplier
      hash ^= word
    }
    if whole < data.count {
      for index in (whole..<data.count).reversed() {
        hash ^= UInt32(data[index]) << (UInt32(index - whole) * 8)
      }
      hash = hash &* multiplier
    }
    hash ^= hash >> 13
    hash = hash &* multiplier
    hash ^= hash >> 15
    return hash
  }
}
