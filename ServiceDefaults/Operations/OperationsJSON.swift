import Messaging
import MessagingSQLite
import WireFormat

/// `GET /health`: the process answers.
struct Health: JSONEncodable {
  var service: String

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("status", "ok")
      json.member("service", service)
    }
  }
}

/// How the relay of this process stands.
struct RelayReport: JSONEncodable {
  var status: OutboxRelayStatus
  var holder: LeaseHolder

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("holder", holder.name)
      json.member("holds_lease", status.holdsLease)
      json.member("broker_reachable", status.isBrokerReachable)
      json.member("in_flight", status.inFlight)
      json.member("in_memory", status.inMemory)
      json.member("refused_keys", status.refusedKeys)
      json.member("published_since_start", status.published)
      json.member("trouble", status.trouble)
    }
  }
}

/// `GET /outbox`: how it stands, and a page of its rows, newest first.
struct OutboxReport: JSONEncodable {
  var summary: OutboxSummary
  var relay: RelayReport
  var page: Page<OutboxRowJSON>

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member(
        "status",
        object: { json in
          json.member("unpublished", summary.unpublished)
          json.member("oldest_unpublished_at", summary.oldestUnpublished)
          json.member("last_sequence", summary.lastSequence)
          json.member("publish_epoch", summary.publishEpoch)
          json.member("is_epoch_ready", summary.isEpochReady)
          json.member("cluster_id", summary.clusterID)
          json.member("lease_holder", summary.leaseHolder)
          json.member("lease_expires_at", summary.leaseExpiresAt)
          json.member("relay", relay)
        })
      page.writeMembers(to: &json)
    }
  }
}

struct OutboxRowJSON: JSONEncodable {
  var row: OutboxEntry

  init(_ row: OutboxEntry) { self.row = row }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("sequence", row.sequence)
      json.member("event_id", row.eventID)
      json.member("event_type", row.eventType)
      json.member("topic", row.topic)
      json.member("key", row.key.map { String(decoding: $0, as: UTF8.self) })
      json.member("value_bytes", row.valueSize)
      json.member("status", row.publication == nil ? "unpublished" : "published")
      json.member("created_at", row.createdAt)
      json.member("published_at", row.publication?.at)
      json.member("partition", row.publication?.topicPartition.partition)
      json.member("offset", row.publication?.offset)
      json.member("publish_epoch", row.publication?.epoch)
    }
  }
}

/// A parked record: what it is, and what it waits for.
struct ParkedJSON: JSONEncodable {
  var record: ParkedEntry

  init(_ record: ParkedEntry) { self.record = record }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("event_id", record.identity.eventID)
      json.member("event_type", record.identity.eventType)
      json.member("order_id", record.identity.key)
      json.member("order_version", record.identity.version)
      json.member("topic", record.topicPartition.topic)
      json.member("partition", record.topicPartition.partition)
      json.member("offset", record.offset)
      json.member("value_bytes", record.valueSize)
      json.member("parked_at", record.parkedAt)
      json.member("waiting_for_version", record.waitingForVersion)
      json.member("dead_letter_id", record.deadLetterID)
    }
  }
}
