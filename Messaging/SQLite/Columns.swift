import Foundation
import GRDB
import Messaging
import WireFormat

/// Bytes as an argument for `CAST(? AS BLOB)`: NULL stays NULL, and empty stays empty.
///
/// SQLite reads an empty blob without an address as NULL, and that is what Foundation's empty `Data` has. The empty
/// string does not have this trouble, and its cast is the empty blob.
func blob(_ bytes: [UInt8]?) -> (any DatabaseValueConvertible)? {
  guard let bytes else { return nil }
  return bytes.isEmpty ? "" : Data(bytes)
}

extension Row {
  func bytes(_ column: String) -> [UInt8]? {
    (self[column] as Data?).map { Array($0) }
  }

  func bytes(at index: Int) -> [UInt8]? {
    (self[index] as Data?).map { Array($0) }
  }

  func moment(_ column: String) -> Timestamp {
    Timestamp(millisecondsSinceEpoch: self[column])
  }

  func momentIfAny(_ column: String) -> Timestamp? {
    (self[column] as Int64?).map { Timestamp(millisecondsSinceEpoch: $0) }
  }

  /// The columns `topic`, `partition`, `record_offset`, `record_timestamp`, `message_key`, `headers`, `message_value`.
  func consumedRecord() throws -> ConsumedRecord {
    ConsumedRecord(
      topicPartition: TopicPartition(self["topic"], self["partition"]), offset: self["record_offset"],
      timestamp: self["record_timestamp"], key: bytes("message_key"), value: bytes("message_value"),
      packedHeaders: try PackedHeaders(stored: bytes("headers") ?? []))
  }
}
