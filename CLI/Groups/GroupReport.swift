import Messaging
import MessagingKafka
import WireFormat

/// A consumer group: who is in it, and how far it has read.
struct GroupReport: Sendable, Hashable, JSONEncodable {
  struct Member: Sendable, Hashable, JSONEncodable {
    var id: String
    /// Where it runs, as far as is known.
    var place: String
    var assignment: [TopicPartition]

    func write(to json: inout JSONWriter) {
      json.object { json in
        json.member("member_id", id)
        json.member("place", place)
        json.member(
          "assignment",
          array: { json in
            for partition in assignment.sorted() {
              json.object { json in
                json.member("topic", partition.topic)
                json.member("partition", partition.partition)
              }
            }
          })
      }
    }
  }

  struct Partition: Sendable, Hashable, JSONEncodable {
    var partition: TopicPartition
    var committed: Int64?
    var end: Int64?
    var lag: Int64?
    var memberID: String?

    func write(to json: inout JSONWriter) {
      json.object { json in
        json.member("topic", partition.topic)
        json.member("partition", partition.partition)
        json.member("committed", committed)
        json.member("end", end)
        json.member("lag", lag)
        json.member("member_id", memberID)
      }
    }
  }

  var name: String
  var state: String
  var members: [Member]
  var partitions: [Partition]

  /// Over all partitions; nil while one of them is not known.
  var lag: Int64? {
    partitions.reduce(Int64?(0)) { sum, partition in
      guard let sum, let lag = partition.lag else { return nil }
      return sum.addingReportingOverflow(lag).partialValue
    }
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("group", name)
      json.member("state", state)
      json.member("lag", lag)
      json.member("members", members)
      json.member("partitions", partitions)
    }
  }
}
