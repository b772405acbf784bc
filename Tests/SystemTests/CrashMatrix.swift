import FaultInjection

/// A death by SIGKILL that the matrix wants to see: of a service, at a failpoint, the n-th time that one of its processes
/// gets there.
struct Crash: Hashable {
  /// When in the life of a stack it can happen.
  enum Moment: Hashable {
    /// While the stack starts for the first time.
    case start
    /// While it works.
    case load
    /// While it is told to stop.
    case stop
    /// While it starts again, on a broker that has lost its data.
    case restart
  }

  var service: String
  var failpoint: String
  var hit: Int
  var moment: Moment

  /// As the environment has it.
  var rule: String { "\(name)=crash@\(hit)" }
  /// The file that tells of it.
  var name: String { "\(service):\(failpoint)" }
}

/// Every failpoint in every service that gets there.
enum CrashMatrix {
  static let order = "OrderService"
  static let inventory = "InventoryService"
  static let notification = "NotificationService"
  static let all = [order, inventory, notification]

  static let crashes: [Crash] = starts + stops + restarts + loads

  private static let starts =
    at(.start, "store.migrating", hit: 3) + at(.start, "service.starting") + at(.start, "lease.acquiring")
    + at(.start, "consumer.assigning") + at(.start, "worker.assigned")

  private static let stops =
    at(.stop, "service.stopping") + at(.stop, "worker.leaving") + at(.stop, "worker.revoked")
    + at(.stop, "consumer.giving-up") + at(.stop, "relay.leaving") + at(.stop, "store.checkpointing")

  private static let restarts = at(.restart, "outbox.beginning-epoch") + at(.restart, "outbox.continuing-epoch")

  // NotificationService publishes its dead letters and nothing else.
  private static let loads =
    at(.load, "relay.after-read", hit: 9)
    + publishing("relay.after-produce", hit: 20) + publishing("relay.before-mark", hit: 10)
    + publishing("outbox.marking", hit: 7) + publishing("relay.after-mark", hit: 12)
    + publishing("producer.between-messages", hit: 5)
    + at(.load, "worker.after-poll", hit: 7) + at(.load, "worker.handle", hit: 31)
    + at(.load, "lease.renewing", hit: 5)
    + at(.load, "worker.after-effect", hit: 23) + at(.load, "worker.before-commit", hit: 6)
    + at(.load, "worker.after-commit", hit: 9) + at(.load, "worker.after-store", hit: 8)
    + at(.load, "store.before-commit", hit: 25) + at(.load, "store.after-commit", hit: 30)
    + at(.load, "inbox.dead-lettering", hit: 2)
    + at(.load, "inbox.failing-again", hit: 2) + at(.load, "outbox.replaying", hit: 2)
    + at(.load, "inbox.closing", hit: 2)
    + at(.load, "inbox.parking", hit: 2, in: [inventory, notification])
    + at(.load, "inbox.unparking", hit: 2, in: [inventory, notification])
    + at(.load, "order.after-key", hit: 10, in: [order])
    + at(.load, "order.after-row", hit: 11, in: [order]) + at(.load, "order.after-commit", hit: 13, in: [order])
    + at(.load, "order.settling", hit: 9, in: [order]) + at(.load, "order.cancelled", hit: 3, in: [order])
    + at(.load, "inventory.reserving", hit: 15, in: [inventory])
    + at(.load, "inventory.set-aside", hit: 8, in: [inventory])
    + at(.load, "inventory.answering", hit: 10, in: [inventory])
    + at(.load, "inventory.releasing", hit: 2, in: [inventory])
    + at(.load, "mail.writing", hit: 10, in: [notification])

  /// Spreads them over stacks: of each service one death at the start, one at the stop, and a few under load, so that
  /// nobody is killed more often than `up` restarts without long pauses.
  static func rounds(_ count: Int) -> [[Crash]] {
    var rounds = Array(repeating: [Crash](), count: count)
    for moment in [Crash.Moment.start, .load, .stop, .restart] {
      for service in all {
        for (index, crash) in crashes.filter({ $0.moment == moment && $0.service == service }).enumerated() {
          rounds[index % count].append(crash)
        }
      }
    }
    return rounds
  }

  private static func at(
    _ moment: Crash.Moment, _ failpoint: String, hit: Int = 1, in services: [String] = all
  ) -> [Crash] {
    services.map { Crash(service: $0, failpoint: failpoint, hit: hit, moment: moment) }
  }

  private static func publishing(_ failpoint: String, hit: Int) -> [Crash] {
    at(.load, failpoint, hit: hit, in: [order, inventory]) + at(.load, failpoint, in: [notification])
  }
}
