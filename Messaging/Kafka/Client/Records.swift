internal import CRDKafka
import Foundation
import Messaging

extension ConsumedRecord {
  /// Copies a fetched message. Null and empty are kept apart, for key, value and header values alike.
  init(_ message: UnsafePointer<rd_kafka_message_t>) {
    let fields = message.pointee
    var timestampType = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let timestamp = rd_kafka_message_timestamp(message, &timestampType)
    self.init(
      topicPartition: TopicPartition(topicName(of: fields), fields.partition),
      offset: fields.offset,
      timestamp: timestampType == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || timestamp < 0 ? nil : timestamp,
      key: bytes(fields.key, fields.key_len),
      value: bytes(fields.payload, fields.len),
      packedHeaders: readHeaders(of: message))
  }
}

func topicName(of message: rd_kafka_message_t) -> String {
  guard let topic = message.rkt, let name = rd_kafka_topic_name(topic) else { return "" }
  return String(cString: name)
}

private func bytes(_ start: UnsafeRawPointer?, _ count: Int) -> [UInt8]? {
  start.map { Array(UnsafeRawBufferPointer(start: $0, count: count)) }
}

private func readHeaders(of message: UnsafePointer<rd_kafka_message_t>) -> PackedHeaders {
  var list: OpaquePointer?
  guard !rd_kafka_message_headers(message, &list).isFailure, let list else { return PackedHeaders([]) }
  let count = rd_kafka_header_cnt(list)
  var headers = PackedHeaders(count: count, size: count * 32)
  for index in 0..<count {
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var size = 0
    // It fails for an index beyond the last only.
    rd_kafka_header_get_all(list, index, &name, &value, &size)
    headers.append(
      name: UnsafeRawBufferPointer(start: name, count: name.map { Int(strlen($0)) } ?? 0),
      value: value.map { UnsafeRawBufferPointer(start: $0, count: size) })
  }
  return headers
}

/// A new `rd_kafka_headers_t`, which the caller owns; nil for none.
func makeHeaders(_ headers: PackedHeaders) -> OpaquePointer? {
  guard !headers.isEmpty else { return nil }
  let list = rd_kafka_headers_new(8)
  headers.forEach { name, value in
    _ = rd_kafka_header_add(list, name.baseAddress, name.count, value?.baseAddress, value?.count ?? 0)
  }
  return list
}

/// Hands `body` an address that is null only for nil: an empty array may have none of its own, and librdkafka takes
/// null for a null.
func withBytes<Result>(_ bytes: [UInt8]?, _ body: (UnsafeRawPointer?, Int) -> Result) -> Result {
  guard let bytes else { return body(nil, 0) }
  guard !bytes.isEmpty else { return withUnsafeBytes(of: UInt8(0)) { body($0.baseAddress, 0) } }
  return bytes.withUnsafeBytes { body($0.baseAddress, $0.count) }
}
