/// The producer of an ``InMemoryBroker``.
final class InMemoryProducer: MessageProducer {
  private let cluster: Monitor<InMemoryCluster>
  private let clocks: Clocks
  private let queueLimit: Int
  private let id: Int

  init(cluster: Monitor<InMemoryCluster>, clocks: Clocks, queueLimit: Int) {
    self.cluster = cluster
    self.clocks = clocks
    self.queueLimit = queueLimit
    id = cluster.withLock { cluster in
      let id = cluster.newClient()
      cluster.producers[id] = InMemoryCluster.Producer()
      return id
    }
  }

  func enqueue(_ messages: [(token: UInt64, message: OutgoingMessage)]) throws -> Int {
    let now = clocks.wall().millisecondsSinceEpoch
    return try cluster.change { cluster in
      guard let producer = cluster.producers[id] else { throw BrokerError.clientClosed }
      if producer.isBroken {
        throw BrokerError(kind: .fatal, name: "_FATAL", detail: "the producer was told to break")
      }
      let accepted = messages.prefix(max(0, queueLimit - producer.outstanding))
      cluster.producers[id]?.waiting.append(contentsOf: accepted)
      cluster.flush(producer: id, timestamp: now)
      return accepted.count
    }
  }

  func deliveries(timeout: Duration) -> [DeliveryReport] {
    cluster.wait(atMost: timeout) { cluster in
      guard let producer = cluster.producers[id] else { return [] }
      guard producer.isWoken || !producer.reports.isEmpty else { return nil }
      cluster.producers[id]?.isWoken = false
      cluster.producers[id]?.reports = []
      return producer.reports
    } ?? []
  }

  func wake() {
    cluster.change { $0.producers[id]?.isWoken = true }
  }

  func close(timeout: Duration) {
    cluster.change { $0.producers[id] = nil }
  }
}
