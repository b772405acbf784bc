import Messaging
import WireFormat

/// `GET /consumers`: the group's member that this process is.
struct ConsumersReport: JSONEncodable {
  var consumers: [ConsumerReport]

  func write(to json: inout JSONWriter) {
    json.object { $0.member("consumers", consumers) }
  }
}

/// A consumer group as this process knows it.
struct ConsumerReport: JSONEncodable {
  var topics: [String]
  var status: ConsumerWorkerStatus

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("group", status.group)
      json.member("topics", topics)
      json.member("lag", lag)
      json.member("trouble", status.trouble)
      json.member(
        "members",
        array: { json in
          guard let member = status.consumer else { return }
          json.object { json in
            json.member("member_id", member.memberID)
            json.member("assignment", member.assignment.map { $0.map(PartitionJSON.init) })
          }
        })
      json.member("queued", status.queued)
      json.member("counts", CountsJSON(counts: status.counts))
      json.member("retrying", status.backoffs.map(BackoffJSON.init))
    }
  }

  /// Over all partitions that are assigned here; nil while one of them is not known.
  private var lag: Int64? {
    guard let assignment = status.consumer?.assignment else { return nil }
    var sum: Int64 = 0
    for partition in assignment {
      guard let lag = partition.lag else { return nil }
      sum = sum.addingReportingOverflow(lag).partialValue
    }
    return sum
  }
}

private struct PartitionJSON: JSONEncodable {
  var partition: ConsumerStatus.Partition

  init(_ partition: ConsumerStatus.Partition) { self.partition = partition }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("topic", partition.topicPartition.topic)
      json.member("partition", partition.topicPartition.partition)
      json.member("position", partition.position)
      json.member("committed", partition.committed)
      json.member("end", partition.logEnd)
      json.member("lag", partition.lag)
      json.member("paused", partition.isPaused)
    }
  }
}

/// Since the start of the process.
private struct CountsJSON: JSONEncodable {
  var counts: ConsumerCounts

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("consumed", counts.consumed)
      json.member("handled", counts.handled)
      json.member("without_effect", counts.withoutEffect)
      json.member("duplicates", counts.duplicates)
      json.member("stale", counts.stale)
      json.member("parked", counts.parked)
      json.member("ignored", counts.ignored)
      json.member("dead_lettered", counts.deadLettered)
      json.member("retries", counts.retries)
    }
  }
}

/// A partition that stands at an event which failed.
private struct BackoffJSON: JSONEncodable {
  var backoff: ConsumerWorkerStatus.Backoff

  init(_ backoff: ConsumerWorkerStatus.Backoff) { self.backoff = backoff }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("topic", backoff.partition.topic)
      json.member("partition", backoff.partition.partition)
      json.member("offset", backoff.offset)
      json.member("event_id", backoff.eventID)
      json.member("attempts", backoff.attempts)
      json.member("error", backoff.error)
    }
  }
}
