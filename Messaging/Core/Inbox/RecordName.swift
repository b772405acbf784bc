import Crypto
import WireFormat

extension ConsumedRecord {
  /// The name of a record that has no readable event id:
  /// `<topic>/<partition>/<offset>/<first 16 hex digits of the SHA-256 of key and value>`.
  ///
  /// The content is part of it because the same place can hold another record after a broker has lost its data.
  public var nameByPlace: String {
    var hash = SHA256()
    hash.update(data: key ?? [])
    hash.update(data: value ?? [])
    let digits = Array("0123456789abcdef".utf8)
    let start = hash.finalize().prefix(8).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return "\(topic)/\(topicPartition.partition)/\(offset)/\(String(decoding: start, as: UTF8.self))"
  }
}

extension DeadLetter {
  /// A dead letter for a record that `unreadable` tells of: named by its event id where that could be read.
  public init(
    unreadable: UnreadableRecord, record: ConsumedRecord, consumerGroup: String, attempts: Int, redrives: Int = 0,
    failedAt: Timestamp
  ) {
    self.init(
      consumerGroup: consumerGroup, eventID: unreadable.eventID ?? record.nameByPlace,
      eventType: unreadable.eventType, key: unreadable.key, version: unreadable.version, record: record,
      error: unreadable.reason, attempts: attempts, redrives: redrives, failedAt: failedAt)
  }
}
